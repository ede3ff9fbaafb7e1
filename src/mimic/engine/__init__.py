"""What is stale, and how a job is run: keys, the store, locks, Snakemake and DVC."""

"""What mends, watches, checks and resumes a study on a SLURM cluster. Snakemake's plugin submits its jobs."""

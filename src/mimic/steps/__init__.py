"""One module a rule of the Snakefile: read the task, call what does the work, leave the files."""

"""What a person runs around the study; one module a command of `python -m mimic`."""

"""params.yaml: its schema, its reading, its checks."""

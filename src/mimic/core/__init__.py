"""What every part stands on: typed parameters, the DAG as data, identity, atomic files, seeds."""

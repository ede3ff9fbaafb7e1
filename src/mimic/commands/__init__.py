"""What a person types: a module for each command of `mimic`, whose arguments stand in grammar.py."""

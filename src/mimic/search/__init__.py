"""Bayesian search as pure functions: points of typed spaces, proposals by rounds, stopping, selection."""

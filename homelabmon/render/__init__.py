"""Folds what components give into a plan (path to text), and writes it. May import everything below it, not the CLI."""

"""The vocabulary: typed data that every other part of the package speaks, and nothing that acts.

May import: :mod:`homelabmon.errors`, pydantic and the standard library.
"""

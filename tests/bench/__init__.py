"""Benchmarks: `make bench`. Each module with a ``cases()`` function is listed in ``__main__``."""

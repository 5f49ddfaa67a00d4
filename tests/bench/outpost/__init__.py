"""The outpost with ten thousand heartbeats, as a whole process: ``make bench-outpost``."""

"""Measurements against what users would pick instead, and against the limit: `make bench`."""

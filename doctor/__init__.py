"""Checks a configuration step by step against the service that it names: `python -m doctor`."""

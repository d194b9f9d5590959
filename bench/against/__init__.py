"""The present build held against that of another commit: `python -m bench --against COMMIT`."""

"""What happens to an app at scale, on paper and by simulation: `python -m bench.simulate`."""

"""Agents of the libraries that are written in Python, run by a Python that has one of them."""

"""One module for each language: which libraries there are, and how their agents are made."""

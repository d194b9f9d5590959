"""Handlers of what clients do, and the events that they are given."""

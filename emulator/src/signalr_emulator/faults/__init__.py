"""Faults on purpose: which requests are disturbed, and how."""

"""Clients by the thousand, and what they connect through."""

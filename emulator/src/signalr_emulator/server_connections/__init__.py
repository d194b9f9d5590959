"""Connections of app servers: their life, which clients each carries, and who waits for results."""

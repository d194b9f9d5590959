"""Calls of the service: verified, read, and answered by handlers."""

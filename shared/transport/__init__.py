"""Sends requests to the service, blocking and awaitable, over one sans-I/O flow."""

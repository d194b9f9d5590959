"""Clients that came together renew their sign-ins together, and keep their connections."""

"""Stands in for App Service authentication: signing in, sessions, and a request's principal."""

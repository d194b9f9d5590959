"""The checks: each asks somebody one thing (the service, the app, who issues tokens)."""

"""Checks a configuration step by step against the service that it names: `python -m doctor`.

What talks to somebody is in `identity`, `service`, `client`, `permissions`, `cors` and `app`; what
their answers mean, and what mends it, is in the modules named after them with `_diagnosis`, which
are pure.
"""

"""Issuers of bearer tokens: whether a token is theirs and valid, and their keys."""

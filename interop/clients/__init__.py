"""Agents: one program for each client library, which does what lines of JSON tell it."""

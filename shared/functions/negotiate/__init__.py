"""Lets clients connect: who the caller is, which hub, and the answer."""

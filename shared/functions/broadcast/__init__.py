"""Sends messages, changes groups, tells who is connected."""

"""Looks after the files of an app, and loads it anew when they change."""

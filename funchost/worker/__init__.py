"""Runs the functions of an app with Microsoft's worker library, here or in several processes."""

"""Clients whom an app server answers, of which one server connection after another breaks."""

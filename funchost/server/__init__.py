"""Answers HTTP requests as the Functions host does, with function keys and CORS."""

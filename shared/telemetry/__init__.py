"""The names of what logs, spans and metrics say."""

"""Looks for inputs that break a parser: guided by coverage, by properties, by descriptions."""

"""Servers and clients of the measurement of fan-out, in processes of their own."""

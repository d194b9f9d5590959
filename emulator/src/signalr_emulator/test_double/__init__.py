"""What a test sees and does: the control plane as Python, and a client of the service."""

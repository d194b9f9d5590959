"""The access key, its rotation, and the client tokens that it signs."""

"""Messages by server connections, held against the same by REST."""

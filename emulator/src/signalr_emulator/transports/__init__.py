"""What moves a client's bytes: Server-Sent Events, long polling, and what goes out by any."""

"""What moves a client's bytes: WebSocket, Server-Sent Events and long polling."""

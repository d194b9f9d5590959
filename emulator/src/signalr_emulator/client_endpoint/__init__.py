"""What clients call, over aiohttp: negotiation and the connection itself."""

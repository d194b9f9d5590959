"""What app servers call, over aiohttp: server connections, and what is asked over them."""

"""The control plane over aiohttp: identity endpoints, authority, Resource Manager, inspector."""

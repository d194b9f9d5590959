"""The REST data plane over aiohttp: each operation, admitted and carried out."""

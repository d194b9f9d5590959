"""Names and grammar of the settings: connections, connection strings, endpoints, as values."""

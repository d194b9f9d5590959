"""A client's connection from negotiation to end, and the hubs, groups and users it belongs to."""

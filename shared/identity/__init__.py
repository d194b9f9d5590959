"""Who this app is: credentials of azure-identity, their tokens, and why there may be none."""

"""Who this app is: credentials of azure-identity, and the tokens that they give."""

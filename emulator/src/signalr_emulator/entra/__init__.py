"""The emulated Entra tenant: its identities and applications, and the tokens that it signs."""

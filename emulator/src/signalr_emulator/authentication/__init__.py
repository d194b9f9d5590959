"""Who calls a SignalR resource: its access keys, and the tokens that are signed with them."""

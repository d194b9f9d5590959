"""How the emulator's costs grow with clients, hubs and memberships of groups."""

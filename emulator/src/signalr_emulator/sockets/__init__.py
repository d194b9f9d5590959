"""What every connection of a server shares: how it receives, and how it writes without waiting."""

"""What clients do, sent to the app's upstream, and what it answers."""

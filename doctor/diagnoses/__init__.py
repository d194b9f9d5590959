"""What an answer, an error or silence means, and what mends it: pure, and asks nobody."""

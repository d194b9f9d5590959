"""What an answer, or none, means, and how to fix it: pure, and asks nobody."""

"""What is simulated: limits, assumptions, and each thing that happens at scale. Pure."""

"""What was sent and what arrived, and whether all did."""

"""What runs in a process of the measured build, whose own sources it finds and no others."""

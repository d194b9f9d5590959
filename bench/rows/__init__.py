"""The measurements: each module prints the tables of one."""

"""The inspector: a page at the control port that shows what happens, and lets a person act."""

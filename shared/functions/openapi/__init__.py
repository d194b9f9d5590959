"""The description of the functions, for people and programs that call them."""

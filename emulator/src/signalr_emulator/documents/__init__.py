"""JSON documents: their text, their properties, and what is wrong with them."""

"""Azure role-based access control: roles, their assignments, and who may change them."""

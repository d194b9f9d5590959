"""Server connections over their sockets: opened, kept up, written to, waited on."""

"""Several endpoints: which are up, which one a client is sent to, who does what."""

"""Which requests are answered at all, by their host and the web page that they come from."""

"""The REST data plane of one endpoint, without any I/O."""

"""Bodies of requests: values and messages in JSON and in MessagePack, without any I/O."""

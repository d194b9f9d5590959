"""The operations of the data plane without I/O: their table, a call's payload, refusals."""

"""Wire protocols: what clients send, as events. Pure: no clock, socket or store; one file a protocol."""

"""What the live service keeps: the event log, which is the truth, and what is derived from it."""

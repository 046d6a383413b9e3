"""Deciding in the running service: what a case looks like now, who asks, and what is reserved."""

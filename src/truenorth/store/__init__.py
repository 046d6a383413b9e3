"""What the live service keeps: the event log, which is the truth, and what is derived from it.

`opening.open_store` gives it all; `ports` says what the service asks of it; `docs/store.md` explains it.
"""

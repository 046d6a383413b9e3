"""A journey judged as its events come, on Spark's Structured Streaming: the live kernel, a bucket of cases a state."""

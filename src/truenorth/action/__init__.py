"""What may be done for a customer now, by whom, and what it brought."""

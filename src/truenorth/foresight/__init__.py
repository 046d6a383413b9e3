"""What will happen to an open case, and how sure that is."""

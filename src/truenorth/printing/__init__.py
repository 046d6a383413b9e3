"""What commands print: a module for each group of commands."""

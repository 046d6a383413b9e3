"""The command line: a module for each group of commands; it prints, and never computes."""

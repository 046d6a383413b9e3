"""Foresight beside the runner: risks of open cases, kept up to date as events come and time passes."""

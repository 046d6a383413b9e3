"""Promises that somebody gives a customer in one line: written down as events, judged like any other promise."""

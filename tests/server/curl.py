"""Commands of the documentation, asked of a desk."""

from __future__ import annotations

import argparse
import shlex

import httpx

from server.desk import Desk

ADDRESS = "https://truenorth.example"


def run(desk: Desk, command: str) -> httpx.Response:
    """The answer to a command such as ``curl -H "Authorization: Bearer $T" ADDRESS``; ``$T`` is an admin's token."""
    program, *words = shlex.split(command.replace("$T", desk.tokens["admin"]))
    assert program == "curl"
    options = argparse.ArgumentParser()
    options.add_argument("-X", dest="method", default="GET")
    options.add_argument("-H", dest="headers", action="append", default=[])
    options.add_argument("-d", "--data-binary", dest="data")
    options.add_argument("url")
    asked = options.parse_args(words)
    assert asked.url.startswith(ADDRESS)
    headers = dict(header.split(": ", 1) for header in asked.headers)
    return desk.ask(asked.method, asked.url.removeprefix(ADDRESS), None, headers=headers, content=asked.data)

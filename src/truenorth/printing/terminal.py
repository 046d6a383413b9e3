"""Where commands print: results on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
from rich.console import Console

PIPED_WIDTH = 200
"""Columns of output that no terminal shows."""

out = Console(soft_wrap=True, highlight=False, emoji=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
err = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)


def write_json(value: Any) -> None:
    """A value as JSON on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")

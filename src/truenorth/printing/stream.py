"""What a stream prints while it goes and when it has ended."""

from __future__ import annotations

from collections.abc import Callable

import typer

from truenorth.printing.terminal import out, write_json
from truenorth.spec.counted import counted
from truenorth.wiring.stream import Streamed


def batch_of(quiet: bool) -> Callable[[Streamed], None]:
    """What tells of each micro-batch, on standard error; nothing where JSON is asked for."""

    def tell(streamed: Streamed) -> None:
        if not quiet:
            typer.echo(f"batch {streamed.batches}: {_words(streamed)}", err=True)

    return tell


def ended(streamed: Streamed, *, as_json: bool) -> None:
    """What was told in all."""
    if as_json:
        write_json(streamed._asdict())
        return
    out.print(f"{streamed.batches:,} micro-batches: {_words(streamed)}")


def _words(streamed: Streamed) -> str:
    return (
        f"{counted(streamed.events, 'event')}, {counted(streamed.signals, 'signal')}, "
        f"{counted(streamed.duplicates, 'second arrival')}, {counted(streamed.aside, 'row')} put aside"
    )

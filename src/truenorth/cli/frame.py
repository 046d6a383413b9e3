"""What all commands have in common: options, messages instead of tracebacks, a bar while something takes long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

LogPath = Annotated[Path, typer.Argument(metavar="LOG", help="CSV, TSV, Parquet, JSON Lines, XES or OCEL 2.0.")]
JourneyPath = Annotated[Path, typer.Option("--journey", "-j", metavar="FILE", help="The journey file.")]
Now = Annotated[
    str | None, typer.Option("--now", metavar="T", help="Show the log as of this instant, such as 2024-03-31T18:00Z.")
]
Maps = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Which column holds a field, such as case='Case ID'."),
]
ObjectType = Annotated[
    str | None, typer.Option("--object-type", metavar="TYPE", help="OCEL: the type of object that is a case.")
]
Since = Annotated[
    str | None, typer.Option("--from", metavar="T", help="Only cases that opened then or later, such as 2024-03-01.")
]
Until = Annotated[str | None, typer.Option("--to", metavar="T", help="Only cases that opened before then.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of", formats=["%Y-%m-%d"], metavar="DAY", help="The day by which reviews are old; the last of the log."
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="Of what is sampled and split at random.")]
Excluded = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="COLUMN", help="A column that is not known when a case opens. May be repeated."),
]
ThemeNames = Annotated[
    Path | None,
    typer.Option("--names", metavar="FILE", help="Names of themes, as 'insight voice' writes them."),
]
Answered = Annotated[
    list[str] | None,
    typer.Option(
        "--answer", metavar="KEY=yes|no", help="What people answer to what data cannot tell. May be repeated."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else.")]


def fields_of(maps: list[str] | None) -> dict[str, str]:
    """``--map`` options as a mapping from canonical field to column."""
    from truenorth.spec.model import CANONICAL_TYPES
    from truenorth.spec.problems import nearest

    fields = {}
    for item in maps or []:
        name, equals, column = item.partition("=")
        if not equals or not column:
            raise typer.BadParameter(f"{item!r} is not of the form FIELD=COLUMN", param_hint="--map")
        if name not in CANONICAL_TYPES:
            raise typer.BadParameter(
                f"no field is called '{name}'; {nearest(name, list(CANONICAL_TYPES))}", param_hint="--map"
            )
        fields[name] = column
    return fields


def pairs_of(items: list[str] | None, option: str, prefix: str = "") -> dict[str, str]:
    """The values of an option of the form NAME=VALUE as a mapping; every name begins with ``prefix``."""
    pairs = {}
    for item in items or []:
        name, equals, value = item.partition("=")
        if not equals or not name or not name.startswith(prefix):
            form = f"{prefix}{'KEY' if prefix else 'NAME'}=VALUE"
            raise typer.BadParameter(f"{item!r} is not of the form {form}", param_hint=option)
        pairs[name] = value
    return pairs


def instant_of(text: str | None, option: str = "--now") -> datetime | None:
    """What was given as an instant; without a zone it is UTC."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is no instant such as 2024-03-31 or 2024-03-31T18:00:00+02:00"
        raise typer.BadParameter(message, param_hint=option) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def answers_of(texts: list[str] | None) -> dict[str, bool]:
    """``--answer`` options by the key of the question."""
    from truenorth.insight.maturity import read_answers

    with asked():
        return read_answers(texts or [], "--answer")


@contextmanager
def asked() -> Iterator[None]:
    """Turn what cannot be asked for into a message and exit status 2."""
    from truenorth.spec.problems import TruenorthError

    try:
        yield
    except TruenorthError as error:
        raise typer.BadParameter("\n".join(str(problem).removeprefix("$.") for problem in error.problems)) from None


NOTHING_LEFT = "nothing half-written is left"


@contextmanager
def told(as_json: bool = False, interrupted: str = NOTHING_LEFT) -> Iterator[None]:
    """Turn what cannot be used, and what the system refuses, into a message and exit status 1.

    ``interrupted``: what is left where somebody stops it in the middle.
    """
    from truenorth.spec.problems import TruenorthError
    from truenorth.store.ports import StoreFull

    try:
        yield
    except (TruenorthError, StoreFull) as error:
        from truenorth.printing import journey as printing

        refused = error if isinstance(error, TruenorthError) else TruenorthError([error.problem])
        printing.refused(refused, as_json=as_json)
        raise typer.Exit(1) from None
    except ModuleNotFoundError as error:
        typer.echo(f"error: {error.name} is not installed; pip install 'truenorth[all]'", err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"error: {error.filename or ''}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo(f"stopped; {interrupted}", err=True)
        raise typer.Exit(130) from None


@contextmanager
def progress(quiet: bool = False, *, lines: bool = False) -> Iterator[Callable[[str, float], Any]]:
    """A progress bar on standard error where that is a terminal.

    Elsewhere only a word about a first run; with ``lines``, one a stage.
    """
    from truenorth.printing import journey as printing

    with printing.stages(every=lines) if quiet or not sys.stderr.isatty() else printing.progress() as tell:
        yield tell

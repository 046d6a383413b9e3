"""Files that appear as a whole or not at all, and the folders they are written to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import fspath
from pathlib import Path

import polars as pl

from truenorth.spec.problems import Problem, TruenorthError


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path``, whose file takes the name ``path`` once all is written.

    Raises `TruenorthError` where nothing can be written: no such folder, no permission, no space left.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, whole_file(f"{folder}/a.txt") as temporary:
    ...     _ = temporary.write_text("a")
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.part")
    try:
        yield temporary
        temporary.replace(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        hint = "name a folder that exists, is yours to write to and has space left"
        raise _no_place(path, error, hint) from error
    finally:
        temporary.unlink(missing_ok=True)


def folder_at(path: str | Path) -> Path:
    """The folder of that name, which is made where there is none; `TruenorthError` where it cannot be.

    >>> try:
    ...     folder_at("/dev/null")
    ... except TruenorthError as error:
    ...     print(error)
    /dev/null: expected a place to write to, found File exists. Hint: name a folder: it is made where there is none
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_place(path, error, "name a folder: it is made where there is none") from error
    return path


def _no_place(path: Path, error: Exception, hint: str) -> TruenorthError:
    found = getattr(error, "strerror", None) or str(error)
    return TruenorthError([Problem(path=fspath(path), expected="a place to write to", found=found, hint=hint)])

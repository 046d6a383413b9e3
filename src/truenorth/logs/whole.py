"""Files that appear as a whole or not at all."""

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
        found = getattr(error, "strerror", None) or str(error)
        hint = "name a folder that exists, is yours to write to and has space left"
        raise TruenorthError(
            [Problem(path=fspath(path), expected="a place to write to", found=found, hint=hint)]
        ) from error
    finally:
        temporary.unlink(missing_ok=True)

"""Small text files that people name on the command line, or in words why they cannot be read."""

from __future__ import annotations

from pathlib import Path

from truenorth.logs.open import FOREIGN
from truenorth.spec.problems import Problem, TruenorthError

PACKED = {b"\x1f\x8b": "gzip data", b"\x28\xb5\x2f\xfd": "zstd data", b"PAR1": "a Parquet file"}
"""What logs may be and these files may not, by the first bytes."""


def text_of(path: Path, what: str, hint: str) -> str:
    """The text of a file in UTF-8; TruenorthError where it cannot be read. ``what`` it should be, ``hint``: what to do.

    >>> try:
    ...     text_of(Path("missing.csv"), "a CSV file of answers", "one row a contributor")
    ... except TruenorthError as error:
    ...     print(error)
    missing.csv: expected a CSV file of answers, found no such file or directory. Hint: one row a contributor
    """
    try:
        content = path.read_bytes()
        return content.decode("utf-8")
    except OSError as error:
        found = (error.strerror or str(error)).lower()
    except UnicodeDecodeError as error:
        what, found = f"{what}, as UTF-8 text", _seems(content, error.start)
    raise TruenorthError([Problem(path=str(path), expected=what, found=found, hint=hint)]) from None


def _seems(content: bytes, at: int) -> str:
    kinds = (kind for head, kind in (PACKED | FOREIGN).items() if content.startswith(head))
    line = content.count(b"\n", 0, at) + 1
    return next(kinds, f"the byte 0x{content[at]:02x} in line {line}")

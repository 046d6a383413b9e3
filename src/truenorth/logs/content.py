"""The bytes of a log file, decompressed as far as they go, and their text encoding."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

from truenorth.logs.table import unreadable
from truenorth.spec.problems import UnreadableLog

GZIP, ZSTD, PARQUET, SQLITE = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"SQLite format 3\x00"
HEAD_BYTES = 4_096


@dataclass(frozen=True, eq=False)
class Content:
    """What a file holds. ``cut`` says where and why it broke off, if it did."""

    data: bytes
    cut: str = ""
    notes: tuple[str, ...] = ()


def load(path: Path) -> Content:
    """Read and decompress a file; what follows a damaged place is left out.

    Raises `UnreadableLog` if there is nothing to read.
    """
    raw = read_bytes(path)
    if raw.startswith(GZIP):
        return _gunzip(path, raw)
    return Content(raw)


def read_bytes(path: Path) -> bytes:
    """All bytes of a file; every reason why that cannot be is an `UnreadableLog`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise not_readable(path, error) from error
    if not raw:
        raise unreadable(path, "an event log", "an empty file (0 bytes)", "export it again")
    return raw


def not_readable(path: Path, error: OSError) -> UnreadableLog:
    """The error for a file that the system does not let us read."""
    if isinstance(error, FileNotFoundError):
        return unreadable(path, "a file", "nothing under this name", "check the path")
    if isinstance(error, IsADirectoryError):
        return unreadable(path, "a file", "a directory", "name one file in it")
    if isinstance(error, PermissionError):
        return unreadable(path, "a file that may be read", "no permission to read it", "change its permissions")
    return unreadable(path, "a file that can be read", str(error.strerror or error))


def _gunzip(path: Path, raw: bytes) -> Content:
    parts: list[bytes] = []
    rest = raw
    try:
        while rest.startswith(GZIP):
            member = zlib.decompressobj(31)
            parts.append(member.decompress(rest))
            if not member.eof:
                break
            rest = member.unused_data.lstrip(b"\0")
        else:
            return Content(b"".join(parts))
    except zlib.error:
        parts.append(_before_damage(rest))
    data = b"".join(parts)
    if not data:
        raise unreadable(path, "gzip data", "gzip data that is damaged from its beginning", "copy the file again")
    return Content(data, cut=f"the gzip data breaks off after {len(data):,} bytes of text")


def _before_damage(raw: bytes, step: int = 4_096) -> bytes:
    """Everything that can be decompressed from a damaged gzip member."""
    member = zlib.decompressobj(31)
    parts = []
    for start in range(0, len(raw), step):
        try:
            parts.append(member.decompress(raw[start : start + step]))
        except zlib.error:
            break
    return b"".join(parts)

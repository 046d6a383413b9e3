"""The bytes of a log file: decompressed as far as they go, and as UTF-8."""

from __future__ import annotations

import codecs
import zlib
from dataclasses import dataclass
from pathlib import Path

import zstandard

from truenorth.logs.table import unreadable
from truenorth.spec.problems import UnreadableLog

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
STEP_BYTES = 1 << 16
CHECK_BYTES = 1 << 24
LOOK_BYTES = 4_096

BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""In this order: the mark of UTF-32 begins with that of UTF-16."""


@dataclass(frozen=True, eq=False)
class Content:
    """What a file holds. ``cut`` says after what and why it broke off, if it did."""

    data: bytes
    cut: str = ""
    notes: tuple[str, ...] = ()


def load(path: Path) -> Content:
    """Read and decompress a file; what follows a damaged place is left out.

    Raises `UnreadableLog` if there is nothing to read.
    """
    raw = read_bytes(path)
    if raw.startswith(GZIP):
        return _decompressed(path, "gzip", *_gunzip(raw))
    if raw.startswith(ZSTD):
        return _decompressed(path, "zstd", *_unzstd(raw))
    return Content(raw)


def read_bytes(path: Path, n_bytes: int = -1) -> bytes:
    """The first bytes of a file (-1: all); every reason why that cannot be is an `UnreadableLog`."""
    try:
        with path.open("rb") as file:
            raw = file.read(n_bytes)
    except OSError as error:
        raise _not_readable(path, error) from error
    except ValueError as error:
        raise unreadable(repr(str(path)), "a file name", str(error)) from error
    if not raw and is_pipe(path):
        hint = "if it was read before, write it to a file, and name the file: a pipe can be read only once"
        raise unreadable(path, "an event log", "an empty pipe", hint)
    if not raw:
        raise unreadable(path, "an event log", "an empty file (0 bytes)", "export it again")
    return raw


def has_name(path: Path) -> bool:
    """Whether a log is called by a name of its own: what lies in ``/dev``, as ``/dev/stdin``, is not.

    >>> has_name(Path("log.csv")), has_name(Path("/dev/stdin"))
    (True, False)
    """
    return not path.is_relative_to("/dev") and not is_pipe(path)


def is_pipe(path: Path) -> bool:
    """Whether what a path names can be read only once and from its beginning, as ``/dev/stdin`` behind a ``|``."""
    return path.is_fifo() or path.is_char_device() or path.is_socket()


def _not_readable(path: Path, error: OSError) -> UnreadableLog:
    if isinstance(error, FileNotFoundError):
        return unreadable(path, "a file", "nothing under this name", "check the path")
    if isinstance(error, IsADirectoryError):
        return unreadable(path, "a file", "a directory", "name one file in it")
    if isinstance(error, PermissionError):
        return unreadable(path, "a file that may be read", "no permission to read it", "change its permissions")
    return unreadable(path, "a file that can be read", str(error.strerror or error), "check the path")


def _decompressed(path: Path, kind: str, data: bytes, complete: bool) -> Content:
    if complete and data:
        return Content(data)
    if complete:
        raise unreadable(path, "an event log", f"{kind} data with nothing in it", "export it again")
    if not data:
        raise unreadable(path, f"{kind} data", "data that is damaged from its beginning", "copy the file again")
    return Content(data, cut=f"the {kind} data is damaged or cut off after {len(data):,} bytes of content")


def _gunzip(raw: bytes) -> tuple[bytes, bool]:
    """The content of all members, and whether all of it is there."""
    parts = []
    rest = raw
    while rest.startswith(GZIP):
        member = zlib.decompressobj(wbits=31)
        try:
            parts.append(member.decompress(rest))
        except zlib.error:
            parts.append(_before_damage(rest))
            return b"".join(parts), False
        if not member.eof:
            return b"".join(parts), False
        rest = member.unused_data.lstrip(b"\0")
    return b"".join(parts), True


def _before_damage(raw: bytes) -> bytes:
    """Everything that can be decompressed from a damaged gzip member."""
    member = zlib.decompressobj(wbits=31)
    parts = []
    for start in range(0, len(raw), STEP_BYTES):
        try:
            parts.append(member.decompress(raw[start : start + STEP_BYTES]))
        except zlib.error:
            parts.append(_byte_by_byte(raw[:start], raw[start : start + STEP_BYTES]))
            break
    return b"".join(parts)


def _byte_by_byte(before: bytes, damaged: bytes) -> bytes:
    member = zlib.decompressobj(wbits=31)
    member.decompress(before)
    parts = []
    for n in range(len(damaged)):
        try:
            parts.append(member.decompress(damaged[n : n + 1]))
        except zlib.error:
            break
    return b"".join(parts)


def _unzstd(raw: bytes) -> tuple[bytes, bool]:
    parts = []
    rest = raw
    while rest.startswith(ZSTD):
        frame = zstandard.ZstdDecompressor().decompressobj()
        for start in range(0, len(rest), STEP_BYTES):
            try:
                parts.append(frame.decompress(rest[start : start + STEP_BYTES]))
            except zstandard.ZstdError:
                return b"".join(parts), False
            if frame.eof:
                rest = frame.unused_data + rest[start + STEP_BYTES :]
                break
        else:
            return b"".join(parts), False
    return b"".join(parts), True


def as_utf8(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Text as UTF-8 without a mark at its beginning, and a note if it was something else.

    >>> as_utf8(b"caf\\xe9")
    (b'caf\\xc3\\xa9', ('1 place is not UTF-8 and was read as Windows-1252',))
    """
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return _converted(data[len(mark) :], encoding)
    encoding = _unmarked_utf16(data[:LOOK_BYTES])
    if encoding:
        return _converted(data, encoding)
    return (data, ()) if data.isascii() or _is_utf8(data) else _mended(data)


def _converted(data: bytes, encoding: str) -> tuple[bytes, tuple[str, ...]]:
    text = data.decode(encoding, errors="replace")
    return text.encode(errors="replace"), (f"read as {encoding[:6].upper()}",)


def _unmarked_utf16(head: bytes) -> str:
    """UTF-16 without a mark shows as a zero in most bytes at even or at odd places."""
    n_zeros = (head[0::2].count(0), head[1::2].count(0))
    most, least = max(n_zeros), min(n_zeros)
    if most * 2 * 2 < len(head) or least * 10 > most or len(head) < 4:
        return ""
    return "utf-16-be" if n_zeros[0] > n_zeros[1] else "utf-16-le"


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    try:
        for start in range(0, len(data), CHECK_BYTES):
            decoder.decode(view[start : start + CHECK_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _mended(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Bytes that are not UTF-8 read as Windows-1252, the rest as the UTF-8 that it is."""
    n_places = 0

    def mend(error: UnicodeError) -> tuple[str, int]:
        nonlocal n_places
        assert isinstance(error, UnicodeDecodeError)
        n_places += 1
        bad = error.object[error.start : error.end]
        return "".join(_windows_1252(byte) for byte in bad), error.end

    codecs.register_error("truenorth-windows-1252", mend)
    text = data.decode("utf-8", errors="truenorth-windows-1252")
    places = "1 place is" if n_places == 1 else f"{n_places:,} places are"
    were = "was" if n_places == 1 else "were"
    return text.encode(), (f"{places} not UTF-8 and {were} read as Windows-1252",)


def _windows_1252(byte: int) -> str:
    try:
        return bytes((byte,)).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)

"""From the bytes of a body to the bytes of its JSON: compression and forms by what they look like, not by headers.

Clients gzip without saying so, say `text/plain` of JSON and `form-urlencoded` of gzip: only the bytes are believed.
"""

from __future__ import annotations

import binascii
import zlib
from base64 import b64decode
from io import BytesIO
from urllib.parse import parse_qs

import zstandard

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
FORM = b"data="

MAX_LAYERS = 4
"""Wrappings of one body: a form that holds base64 that holds gzip, and a proxy that compresses again."""

MAX_MEMBERS = 16
"""Gzip streams that stand one after the other."""

MAX_FORM_FIELDS = 100

_READ_BYTES = 65_536


class TooLarge(Exception):
    """A body is larger than its bound once it is unpacked."""


class Broken(Exception):
    """A body's compression or form is damaged: what was found."""


def unpack(body: bytes, unpacked_bytes: int) -> bytes:
    """The innermost text of a body: gzip, zlib and zstd undone, ``data=`` of a form decoded.

    Raises TooLarge as soon as more than ``unpacked_bytes`` come out, without holding more, and Broken.

    >>> import gzip
    >>> unpack(gzip.compress(b'{"event": "Paid"}'), 1_000)
    b'{"event": "Paid"}'
    >>> unpack(b"data=eyJldmVudCI6ICJQYWlkIn0%3D&ver=1", 1_000)
    b'{"event": "Paid"}'
    """
    for _ in range(MAX_LAYERS):
        inner = _one_layer(body, unpacked_bytes)
        if inner is None:
            return body
        body = inner
    raise Broken(f"more than {MAX_LAYERS} wrappings")


def _one_layer(body: bytes, most: int) -> bytes | None:
    """What one wrapping holds; None if there is none."""
    start = body[:4]
    if start[:2] == GZIP:
        return _inflate(body, most, zlib.MAX_WBITS | 16, "gzip")
    if start == ZSTD:
        return _unzstd(body, most)
    if start[:2] in ZLIB:
        return _inflate(body, most, zlib.MAX_WBITS, "zlib")
    if body.startswith(FORM):
        return _form_value(body)
    return None


def _inflate(body: bytes, most: int, wbits: int, kind: str) -> bytes:
    parts, n_bytes = [], 0
    try:
        for _ in range(MAX_MEMBERS):
            stream = zlib.decompressobj(wbits)
            part = stream.decompress(body, most + 1 - n_bytes)
            n_bytes += len(part)
            if n_bytes > most:
                raise TooLarge
            if not stream.eof:
                raise Broken(f"{kind} data that is cut off")
            parts.append(part)
            body = stream.unused_data.lstrip(b"\0") if kind == "gzip" else b""
            if not body:
                return b"".join(parts)
    except zlib.error:
        raise Broken(f"{kind} data that is damaged") from None
    raise Broken(f"more than {MAX_MEMBERS} {kind} streams")


def _unzstd(body: bytes, most: int) -> bytes:
    parts, n_bytes = [], 0
    try:
        with zstandard.ZstdDecompressor(max_window_size=2**23).stream_reader(BytesIO(body)) as stream:
            while part := stream.read(_READ_BYTES):
                n_bytes += len(part)
                if n_bytes > most:
                    raise TooLarge
                parts.append(part)
    except zstandard.ZstdError:
        raise Broken("zstd data that is damaged") from None
    return b"".join(parts)


def _form_value(body: bytes) -> bytes:
    try:
        fields = parse_qs(body.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
    except ValueError:
        raise Broken(f"a form of more than {MAX_FORM_FIELDS} fields") from None
    value = fields["data"][0].strip()
    if value[:1] in ("{", "["):
        return value.encode()
    return _unbase64(value.replace(" ", "+").encode())  # a plus sign that was not escaped is a blank by now


def _unbase64(text: bytes) -> bytes:
    compact = b"".join(text.split()).translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    try:
        return b64decode(compact + b"=" * (-len(compact) % 4), validate=True)
    except binascii.Error:
        raise Broken("base64 that is damaged") from None

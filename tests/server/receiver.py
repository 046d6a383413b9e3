"""A receiver of webhooks on this machine that answers as a test says, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple


class Request(NamedTuple):
    """What came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def number(self) -> int:
        return int(json.loads(self.body)["data"]["number"])


HANG_UP = b""
SILENCE = None


def answer(status: int, text: str = "", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(text)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + text).encode()


OK = answer(204)


class Receiver:
    """An HTTP server of a few lines. ``reply`` gives the bytes of an answer: none hang up, None is silence."""

    def __init__(self, reply: Callable[[Request], bytes | None] = lambda _: OK) -> None:
        self.reply = reply
        self.requests: list[Request] = []
        self.server_names: list[str | None] = []
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def numbers(self) -> list[int]:
        return [request.number for request in self.requests]

    async def start(self, tls: ssl.SSLContext | None = None) -> int:
        """The port that it listens on."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                reply = self.reply(request)
                if reply is SILENCE:
                    await reader.read()
                if not reply:
                    break
                writer.write(reply)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    line = await reader.readline()
    if not line:
        return None
    headers: dict[str, Any] = {}
    while (header := (await reader.readline()).strip()) != b"":
        name, _, value = header.decode().partition(": ")
        headers[name.lower()] = value
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(line.decode().split()[1], headers, body)

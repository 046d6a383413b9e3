"""Connections that are bounded in number, in the size of a head, and in the time a request may take to arrive.

The server below leaves that to a proxy in front of it. Without one, a head without end would fill the memory, and
connections that say nothing would stay for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

HEAD_BYTES = 65_536
"""Most that is read of a head, of the rest after a body, or between two parts of a body."""
HEAD_S = 10.0
"""How long a head may take, from the connection or the first byte after the request before it."""
REQUEST_S = 60.0
"""How long the rest of a request may take after its head; ingest answers sooner, by `Limits.body_seconds`."""
MOST_CONNECTIONS = 10_000
"""Connections at a time; further ones are closed at once."""
OTHER_FILES = 1_000
"""Files and sockets beside them: of the database, webhooks ..."""


def allow_connections() -> None:
    """Let this process have so many open files, or as many as the system allows: by default that is often 1,024."""
    if resource is not None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST_CONNECTIONS + OTHER_FILES
        if soft != resource.RLIM_INFINITY and soft < wanted:
            most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class BoundedConnection(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._n_useless = 0
        self._has_progress = False
        self._is_in_request = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Turn away what is too much; else wait for a head."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self._end_in(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more is waited for."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take some bytes; end the connection where too many in a row are neither a whole head nor of a body."""
        if self.transport.is_closing():
            return
        if self._timer is None and not self._is_in_request:
            self._end_in(HEAD_S)
        self._has_progress = False
        super().data_received(data)
        self._n_useless = 0 if self._has_progress else self._n_useless + len(data)
        if self._n_useless > HEAD_BYTES and not self.transport.is_closing():
            self._refuse()

    def on_headers_complete(self) -> None:
        """A head is whole: its body may follow."""
        self._has_progress = self._is_in_request = True
        self._end_in(REQUEST_S)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take some bytes of a body."""
        self._has_progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole: it may take as long as it likes to answer."""
        self._has_progress, self._is_in_request = True, False
        self._stop_timer()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """A page stays connected: from here on its socket sees to it that somebody is there."""
        self._stop_timer()
        super().handle_websocket_upgrade()

    def _end_in(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.send_400_response(f"expected a head of at most {HEAD_BYTES} bytes")
        else:
            self.transport.abort()

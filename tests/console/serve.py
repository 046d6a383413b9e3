"""A console over the story of `server.desk`, in a process of its own: `python serve.py FOLDER PORT OPEN`.

Its clock begins where the story ends. What goes wrong in it, warnings too, is on its standard error.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from server.desk import NOW_US
from truenorth.server.addresses import listening
from truenorth.server.service import Settings, run_service
from truenorth.wiring.service import open_service


def serve(folder: Path, port: int, *, is_open: bool) -> None:
    began_s = time.monotonic()

    def clock() -> int:
        return NOW_US + round((time.monotonic() - began_s) * 1e6)

    settings = Settings(is_open=is_open)
    url = f"sqlite:///{folder}/truenorth.db"
    with (
        listening("127.0.0.1", port) as sockets,
        open_service(url, settings, clock=clock, with_console=True, with_tour=is_open) as service,
    ):
        (folder / "first-link").write_text(service.first_link or "")
        run_service(service.app, settings, sockets, lambda address: tell(folder, address))


def tell(folder: Path, address: str) -> None:
    """The address to who waits for the file: it is never there and still empty."""
    written = folder / "address.written"
    written.write_text(address)
    written.rename(folder / "address")


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), is_open=sys.argv[3] == "open")

"""The service of a store in a process of its own: `python serve.py URL PORT SETTINGS`, the settings as JSON.

``lateness``: how long its runner's watermark waits; without it there is no runner.
"""

from __future__ import annotations

import json
import os
import sys
from socket import socket

from truenorth.server.addresses import listening


def serve(url: str, sockets: list[socket], given: dict[str, object]) -> None:
    from truenorth.server.limits import Limits  # noqa: PLC0415  (as `truenorth serve`: it listens before)
    from truenorth.server.service import Settings, run_service  # noqa: PLC0415
    from truenorth.wiring.service import open_service, pace_of, runner_command  # noqa: PLC0415

    limits = Limits(**given.pop("limits", {}))  # type: ignore[arg-type]
    lateness = given.pop("lateness", None)
    command = runner_command(pace_of(str(lateness))) if lateness else ()
    os.environ["TRUENORTH_DB"] = url
    settings = Settings(limits=limits, runner_command=command, **given)  # type: ignore[arg-type]
    with open_service(url, settings) as service:
        run_service(service.app, settings, sockets, lambda _: None)


if __name__ == "__main__":
    with listening("127.0.0.1", int(sys.argv[2])) as sockets:
        serve(sys.argv[1], sockets, json.loads(sys.argv[3]))

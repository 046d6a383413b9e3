"""The service of a store in a process of its own: `python serve.py URL PORT SETTINGS`, the settings as JSON.

``lateness``: how long its runner's watermark waits; without it there is no runner.
"""

from __future__ import annotations

import json
import os
import sys

from truenorth.server.limits import Limits
from truenorth.server.service import Settings, run_service
from truenorth.wiring.service import open_service, pace_of, runner_command


def serve(url: str, port: int, given: dict[str, object]) -> None:
    limits = Limits(**given.pop("limits", {}))  # type: ignore[arg-type]
    lateness = given.pop("lateness", None)
    command = runner_command(pace_of(str(lateness))) if lateness else ()
    os.environ["TRUENORTH_DB"] = url
    settings = Settings(port=port, limits=limits, runner_command=command, **given)  # type: ignore[arg-type]
    with open_service(url, settings) as service:
        run_service(service.app, settings, lambda _: None)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))

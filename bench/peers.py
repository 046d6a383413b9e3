"""What the scripts that compare with peers share: the logs, the peers' Python, a journey without an outcome."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl

from truenorth.engine.replay import Replay, replay
from truenorth.spec.load import parse_journey

HERE = Path(__file__).parent
LOGS = HERE.parent.parent / "shared" / "data"
PEERS_PYTHON = os.environ.get("PEERS_PYTHON", "/tmp/peers/venv/bin/python")
NAMES = ("helpdesk.xes.gz", "bpic2012.xes.gz", "Road_Traffic_Fine_Management_Process.xes.gz")


def paths(arguments: list[str]) -> list[Path]:
    """The logs to compare on: those named, or the usual three."""
    found = [Path(argument) for argument in arguments] or [LOGS / name for name in NAMES]
    missing = [path.name for path in found if not path.exists()]
    if missing:
        sys.exit(f"no log {', '.join(missing)}: name the files to read")
    return found


def ask(command: str, *arguments: str, rules: Any = None) -> Any:
    """What pm4py says, from a process of its own."""
    return said_by("peer_pm4py.py", command, *arguments, rules=rules)


def said_by(script: str, *arguments: str, rules: Any = None) -> Any:
    """What a script of the scratch environment prints as JSON."""
    call = [PEERS_PYTHON, str(HERE / script), *arguments]
    done = subprocess.run(call, input=json.dumps(rules), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(call)}\n{done.stderr}\nIs the scratch environment there? See bench/peers.sh")
    return json.loads(done.stdout)


def replayed(events: pl.DataFrame, promises: list[dict[str, Any]]) -> Replay:
    """The events under a journey without an outcome: a case is all events of a key, and never closes."""
    journey = {"truenorth": 1, "journey": "peers", "promises": promises}
    return replay(parse_journey(json.dumps(journey)), events)

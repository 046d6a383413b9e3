"""How long it takes to begin: `python bench/startup.py [--diagnose]`; the best of seven processes each.

`--diagnose` adds the imports of `truenorth --help` that cost most by themselves, from `python -X importtime`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tables import best, show

N_ROUNDS = 7
COMMAND = str(Path(sys.executable).parent / "truenorth")
STARTS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import truenorth": [sys.executable, "-c", "import truenorth"],
    "import truenorth, use read_log and replay": [
        sys.executable,
        "-c",
        "import truenorth; truenorth.read_log, truenorth.replay",
    ],
    "truenorth --help": [COMMAND, "--help"],
    "truenorth check": [COMMAND, "check", str(Path(__file__).parent.parent / "examples" / "support" / "journey.yaml")],
}


def seconds(call: list[str]) -> float:
    return best(lambda: subprocess.run(call, capture_output=True, check=True), N_ROUNDS)


def diagnose(n_shown: int = 15) -> None:
    """The modules that take longest by themselves."""
    call = [sys.executable, "-X", "importtime", COMMAND, "--help"]
    text = subprocess.run(call, capture_output=True, text=True, check=True).stderr
    found = re.findall(r"import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)", text)
    slowest = sorted(((int(own), int(total), name) for own, total, name in found), reverse=True)[:n_shown]
    show(
        ["module", "ms by itself", "ms with what it imports"],
        [[n, f"{o / 1e3:.1f}", f"{t / 1e3:.1f}"] for o, t, n in slowest],
    )


if __name__ == "__main__":
    show(["start", "ms"], [[title, f"{seconds(call) * 1e3:.0f}"] for title, call in STARTS.items()])
    if "--diagnose" in sys.argv:
        diagnose()

"""The demo of a folder in a process of its own: `python live_demo.py FOLDER PLAN`, the plan as JSON.

It writes what it does while it prepares the folder, "prepared", its address, then a word when it has ended.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from truenorth.wiring.demo import Plan, interrupted_once, prepared, run

COMPANY = Path(__file__).parents[2] / "examples" / "company"


def tell(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    folder, plan = Path(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=Plan)
    try:
        with interrupted_once():
            prepared(folder, COMPANY, plan, lambda stage, _: tell(stage))
            tell("prepared")
            run(folder, plan, speed=600, host="127.0.0.1", port=0, on_started=tell)
    except KeyboardInterrupt:
        tell("ended")

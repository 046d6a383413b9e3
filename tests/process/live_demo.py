"""The demo of a prepared folder in a process of its own: `python live_demo.py FOLDER PLAN`, the plan as JSON.

It writes its address, then a word when it has ended.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from truenorth.wiring.demo import Plan, run


def tell(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    plan = msgspec.json.decode(sys.argv[2], type=Plan)
    try:
        run(Path(sys.argv[1]), plan, speed=600, host="127.0.0.1", port=0, on_started=tell)
    except KeyboardInterrupt:
        tell("ended")

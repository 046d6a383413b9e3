"""How long `truenorth demo` takes: `python bench/demo.py`; a first start, which prepares, and one that finds it there.

*Address*: from the command to the line that says where to look. *First page*: until the page True north has come, with
its figures. *Risks*: until cases of a journey with a model are looked at. *Processor*: seconds of work of all processes
until then, however many others share the machine. *Ended*: from Ctrl-C until all of it is gone.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, sleep

import httpx
from tables import show

COMMAND = str(Path(sys.executable).parent / "truenorth")
SAID = "the demo is at "
LOOK_S, PATIENCE_S = 0.1, 600.0


def started(folder: Path) -> list[float]:
    """Seconds to the address, the first page, risks, of work, and to the end."""
    before_s, began_s = worked_s(), perf_counter()
    command = [COMMAND, "demo", "--folder", str(folder), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = next(line for line in process.stderr if SAID in line)
            found = [perf_counter() - began_s]
            with httpx.Client(base_url=said.split(SAID)[1].split()[0], timeout=PATIENCE_S) as client:
                until(lambda: "Achieved" in client.get("/true-north").text)
                found.append(perf_counter() - began_s)
                until(lambda: any(one["watched"] for one in client.get("/api/v1/true-north").json()))
                found.append(perf_counter() - began_s)
        finally:
            ended_s = perf_counter()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_S)
    return [*found, worked_s() - before_s, perf_counter() - ended_s]


def until(is_so: Callable[[], bool]) -> None:
    """Ask again and again until it is so; SystemExit where it never is."""
    end_s = perf_counter() + PATIENCE_S
    while not is_so():
        if perf_counter() > end_s:
            raise SystemExit("the demo never came so far")
        sleep(LOOK_S)


def worked_s() -> float:
    """Seconds that processes which have ended since this one began have worked, and those that they had started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        rows = [[start, *(f"{one:.1f}" for one in started(Path(name)))] for start in ("first", "later")]
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[1]:.1f}\n")
    show(["start", "address, s", "first page, s", "risks, s", "processor, s", "ended, s"], rows)

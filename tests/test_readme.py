"""What the README shows is what the commands print, and its two commands are those of the Makefile and of CI."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
SESSIONS = re.findall(r"^\$ (truenorth .+)\n((?:(?!\$ |```).*\n)*)", README, flags=re.MULTILINE)
SECONDS = re.compile(r"in \d+\.\d s")


@pytest.mark.parametrize(("command", "shown"), SESSIONS, ids=[command for command, _ in SESSIONS])
def test_the_terminal_session_is_real(command: str, shown: str) -> None:
    runner = [sys.executable, "-c", "from truenorth.cli.app import main; main()"]
    done = subprocess.run(
        [*runner, *shlex.split(command)[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    kept = iter(lines)
    for line in (SECONDS.sub("in 0.0 s", line.rstrip()) for line in shown.strip().splitlines()):
        if line == "...":
            continue
        assert any(SECONDS.sub("in 0.0 s", printed) == line for printed in kept), (
            f"{line!r} is not printed by {command}"
        )


def test_there_is_a_session() -> None:
    assert {shlex.split(command)[1] for command, _ in SESSIONS} == {"check", "replay", "explain"}


def test_the_two_commands() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for command in ("make demo", "make test"):
        assert command in README
        assert re.search(rf"^{command.removeprefix('make ')}:", makefile, flags=re.MULTILINE)
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_every_page_that_the_readme_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target

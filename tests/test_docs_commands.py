"""Every command that a page shows is one, with options that it has."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from truenorth.cli.app import app

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.md")])
FENCED = re.compile(r"^```.*?\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^(?:\$ )?(truenorth [^|>#\n]+)", flags=re.MULTILINE)
INLINE = re.compile(r"`(truenorth [^`|>]+)`")
COMMANDS = typer.main.get_command(app)


def shown(text: str) -> Iterator[str]:
    """The commands of a page, of its blocks and its sentences."""
    for block in FENCED.findall(text):
        yield from LINE.findall(re.sub(r"\\\n\s*", " ", block))
    yield from (re.sub(r"\s+", " ", found) for found in INLINE.findall(FENCED.sub("", text)))


def unknown(line: str) -> list[str]:
    """What of a command line the program does not know."""
    words = shlex.split(re.sub(r"[\[\]]", " ", line.partition(" ...")[0]))[1:]
    command = COMMANDS
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        if words[0].isupper():
            return []  # any of them
        if words[0] not in command.commands:
            return [words[0]]
        command = command.commands[words.pop(0)]
    options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}
    return [word for word in words if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in options]


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_commands_are_known(page: Path) -> None:
    assert {line: found for line in shown(page.read_text()) if (found := unknown(line))} == {}


def test_what_is_not_known_is_found() -> None:
    block = "```\n$ truenorth replay a.csv --jurney b.yaml \\\n  --out c\n```\n"
    page = f"{block}or `truenorth modls list`, `truenorth models\nlist`\n"
    assert [(line, unknown(line)) for line in shown(page)] == [
        ("truenorth replay a.csv --jurney b.yaml  --out c", ["--jurney"]),
        ("truenorth modls list", ["modls"]),
        ("truenorth models list", []),
    ]

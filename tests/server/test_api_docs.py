"""What docs/api.md and docs/security.md show is what the service does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec

from server.curl import run
from server.desk import Desk
from truenorth.server.api.bounds import DEFAULT_PAGE, MAX_PAGE, Bounds
from truenorth.server.api.webhooks import MAX_WEBHOOKS
from truenorth.server.metrics import Probes
from truenorth.server.rate import Rate
from truenorth.server.signals_of import KINDS
from truenorth.store.pages import LOOKED_AT

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "api.md").read_text()
COMMANDS = re.findall(r"^\$ (curl .+)\n((?:(?!\$ |```).*\n)*)", PAGE, flags=re.MULTILINE)


def test_the_commands_answer_as_shown(desk: Desk) -> None:
    assert len(COMMANDS) > 10
    for command, shown in COMMANDS:
        answer = run(desk, command).text.strip()
        if "/export" in command:
            assert answer == shown.strip()
        else:
            assert agrees(json.loads(shown), json.loads(answer)), command


def agrees(shown: Any, said: Any) -> bool:
    """Whether an answer is the one shown; of a text that ends in dots the beginning counts, ids of requests differ."""
    if isinstance(shown, dict) and isinstance(said, dict):
        return list(shown) == list(said) and all(name == "request" or agrees(shown[name], said[name]) for name in shown)
    if isinstance(shown, list) and isinstance(said, list):
        return len(shown) == len(said) and all(map(agrees, shown, said))
    if isinstance(shown, str) and shown.endswith("..."):
        return isinstance(said, str) and said.startswith(shown[:-3])
    return bool(shown == said)


def test_every_endpoint_is_on_the_page(read_desk: Desk) -> None:
    for path, operations in read_desk.app.openapi()["paths"].items():
        for method in operations:
            assert f"`{method.upper()} {path}`" in PAGE
    for path in ("/healthz", "/readyz", "/metrics"):
        assert f"`GET {path}`" in PAGE


def test_every_bound_is_on_the_page_with_its_value() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", PAGE, flags=re.MULTILINE))
    for name, value in msgspec.structs.asdict(Bounds()).items():
        if isinstance(value, Rate):
            assert rows[name] == f"{value.per_second:g} a second, {value.burst} at once"
        else:
            assert float(rows[name]) == value
    assert f"({DEFAULT_PAGE}; at most {MAX_PAGE:,})" in PAGE
    assert f"looks at {LOOKED_AT:,} rows at most" in PAGE
    assert f"there are {MAX_WEBHOOKS} webhooks already" in PAGE


def test_every_metric_and_kind_is_on_the_page(read_desk: Desk) -> None:
    numbers = {name: lambda: 1.0 for name in Probes.__dataclass_fields__}
    text = Desk(read_desk.store, probes=Probes(**numbers)).ask("GET", "/metrics").text  # type: ignore[arg-type]
    names = {name for name in re.findall(r"^# TYPE (\w+)", text, flags=re.MULTILINE) if not name.endswith("_created")}
    assert len(names) > 10
    for name in (*names, *KINDS):
        assert f"`{name}`" in PAGE


def test_every_page_that_they_link_to_is_there() -> None:
    for page in ("api.md", "security.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", (DOCS / page).read_text()):
            assert (DOCS / target).exists(), target

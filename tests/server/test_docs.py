"""What a sender can see is in docs/ingest.md: paths, limits, statuses."""

from __future__ import annotations

from pathlib import Path

import msgspec

from server.memory_log import KEYS, MemoryLog
from truenorth.server.ingest.mapping_file import FIELDS, load_mapping
from truenorth.server.ingest_routes import ingest_routes
from truenorth.server.keys import KEY_WORDS
from truenorth.server.limits import Limits
from truenorth.server.links import load_links
from truenorth.server.writer import LogWriter

PAGE = (Path(__file__).parent.parent.parent / "docs" / "ingest.md").read_text()


def test_every_path_is_documented() -> None:
    for route in ingest_routes(LogWriter(MemoryLog(), Limits()), KEYS, lambda: 0, Limits()):
        path = route.path.replace("{key}", "KEY").rstrip("/")
        for prefix in ("/api/s/s2s", "/api/s"):
            if path.startswith(prefix):
                assert f"`{prefix}`" in PAGE
                path = path.replace(prefix, "/v1")
        assert f"{path}`" in PAGE, path


def test_every_limit_is_documented_with_its_value() -> None:
    rows = {
        line.split("|")[3].strip(" `"): line.split("|")[2].strip()
        for line in PAGE.splitlines()
        if "_" in line and line.count("|") == 4
    }
    for name, value in msgspec.structs.asdict(Limits()).items():
        shown = rows[name].removesuffix(" MB").removesuffix(" s").replace(",", "")
        assert float(shown) == value / (1_000_000 if rows[name].endswith("MB") else 1)


def test_every_word_for_a_key_and_every_field_is_documented() -> None:
    for word in (*KEY_WORDS, *FIELDS):
        assert f"`{word}`" in PAGE


def test_the_files_shown_are_right() -> None:
    mapping, links = (part.split("```")[0] for part in PAGE.split("```yaml\n")[1:])
    assert load_mapping(mapping).problems == ()
    assert set(load_links(links)) == {"spring"}

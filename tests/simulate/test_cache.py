"""Numba looks only at a function's own file to see whether a cache is stale: each names those it builds on."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

import truenorth.simulate

FOLDER = Path(truenorth.simulate.__file__).parent
ORDER = ("records", "causal", "agenda", "queues", "story", "loop")


@pytest.mark.parametrize("name", ORDER[1:])
def test_a_compiled_file_changes_with_those_it_builds_on(name: str) -> None:
    before = ORDER[: ORDER.index(name)]
    digest = sha256(b"".join((FOLDER / f"{one}.py").read_bytes() for one in before)).hexdigest()[:12]
    found = re.search(r'^BUILT_ON = "(.*)"$', (FOLDER / f"{name}.py").read_text(), re.MULTILINE)
    assert found, f"{name}.py has no BUILT_ON"
    assert found[1] == digest, f'write BUILT_ON = "{digest}" in {name}.py'

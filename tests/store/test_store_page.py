"""docs/store.md names every table, and the figures that are constants."""

from __future__ import annotations

from pathlib import Path

import pytest

from truenorth.store import archive, archive_files, database
from truenorth.store.columns import METADATA

PAGE = (Path(__file__).parents[2] / "docs" / "store.md").read_text()


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_each_table_has_its_row(table: str) -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert any(f"`{table}`" in row for row in rows)


def test_bounds_are_those_of_the_program() -> None:
    assert f"up to {archive.FILE_ROWS:,} events" in PAGE
    assert f"groups of {archive_files.ROW_GROUP_ROWS:,} rows" in PAGE
    assert f"at most {database.BUSY_TIMEOUT_MS // 1000} s for its turn" in PAGE
    assert f"every {database.SQLITE_LOG_PAGES * 4096 // 1024**2 + 1} MB" in PAGE

"""docs/company.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from truenorth.simulate.document import TABLES

PAGE = (Path(__file__).parent.parent.parent / "docs" / "company.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_that_of_the_code(name: str) -> None:
    """Renew with ``python -m truenorth.simulate.document docs/company.md``."""
    found = re.search(rf"<!-- table: {name} -->\n(.*?)\n<!-- end -->", PAGE, re.DOTALL)
    assert found, f"docs/company.md has no table {name}"
    assert found[1] == TABLES[name]()


def test_every_table_of_the_page_is_known() -> None:
    assert set(re.findall(r"<!-- table: (\w+) -->", PAGE)) == set(TABLES)

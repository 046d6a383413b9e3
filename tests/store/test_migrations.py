"""Migrations make the very tables that the program works with, once, whoever comes first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from store.making import event, read_all
from truenorth.store.columns import METADATA
from truenorth.store.opening import open_store
from truenorth.store.rows import CaseRow, Judged, Progress


def test_migrated_tables_are_those_of_the_program(url: str) -> None:
    with open_store(url) as store, store.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_a_store_can_be_opened_by_several_at_once_the_first_time(url: str) -> None:
    def use(number: int) -> None:
        with open_store(url) as store:
            store.events.append([event(number)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, range(4)))
    with open_store(url) as store:
        assert sorted(one.id for one in read_all(store)) == ["0", "1", "2", "3"]


def test_cases_are_listed_in_the_order_of_code_points(url: str) -> None:
    rows = [CaseRow(case=case, opened_us=1) for case in ("a", "B", "_", "ä", "Z", "a-1", "a#2")]
    with open_store(url) as store:
        store.results.write("help", Judged(progress=Progress(1), cases=rows), n_erasures=0)
        assert [row.case for row in store.results.cases("help")] == ["B", "Z", "_", "a", "a#2", "a-1", "ä"]


def test_opening_again_changes_nothing(url: str) -> None:
    for _ in range(3):
        with open_store(url) as store:
            rows = store.database.run_alone(
                "select value from setting where name = 'salt'", "select count(*) from setting"
            )
            assert rows[1] == (2,)
    with open_store(url) as store:
        assert store.database.run_alone("select value from setting where name = 'salt'")[0] == rows[0]

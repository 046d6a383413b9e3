"""Ids that events state to be one person's, on the cluster: stated by many, joined in one place.

Which ids are one person is decided by `truenorth.identity`, as in the live service. It is not distributed: the
different statements (each once, its earliest occurrence) come to the driver. That is a limit, and it has a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from truenorth.cluster.arrivals import quoted
from truenorth.cluster.census import Narrow, time_us
from truenorth.engine.live import POSITION
from truenorth.identity import Kind, Statement, persons
from truenorth.spec.problems import Problem, TruenorthError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Identities = Literal["as-written", "joined"]
"""What becomes of ids that are stated to be one person's: each stays its own customer, or they become one."""

MAX_STATEMENTS = 2_000_000
"""Different statements that the driver joins; it takes about 1 kB of memory for each."""


def check_choice(n_statements: int, name: str) -> None:
    """`TruenorthError` where events state identities and nobody has said what is to become of them."""
    if n_statements:
        found = f"{n_statements:,} events that state another id of their customer (other_id)"
        hint = "--identities joined makes them one customer, as in the live service; --identities as-written does not"
        expected = "a choice whether ids of one person are joined"
        raise TruenorthError([Problem(path=name, expected=expected, found=found, hint=hint)])


def joined(log: Narrow, events: DataFrame) -> DataFrame:
    """The events with the person of each customer in the place of the customer.

    `TruenorthError` where there are more different statements than the driver takes.
    """
    from pyspark.sql import functions as f

    statements = _statements(log, events, MAX_STATEMENTS)
    column = log.plan.fields.get("customer")
    if not statements or column is None:
        return events
    who = [(id_, person) for id_, person in persons(statements).items() if id_ != person]
    if not who:
        return events
    customer = f"c{log.columns.index(column)}"
    known = events.sparkSession.createDataFrame(who, "`an id` string, person string")
    found = events.join(f.broadcast(known), f.col(customer).cast("string") == f.col("`an id`"), "left")
    return found.withColumn(customer, f.coalesce("person", customer)).select(*events.columns)


def _statements(log: Narrow, events: DataFrame, most: int) -> list[Statement]:
    """Every different statement, by its earliest event."""
    from pyspark.sql import functions as f

    stated, customer = log.statement, log.of("customer")
    if stated is None or customer is None:
        return []
    other_id, other_kind = stated
    said = events.where(customer.isNotNull() & other_id.isNotNull() & other_kind.isin("anonymous", "alias"))
    first = f.min(f.struct(time_us(log).alias("time_us"), _or_empty(log.of("source")).alias("source"), _id(log)))
    grouped = said.groupBy(customer.cast("string").alias("customer"), other_id, other_kind).agg(first.alias("first"))
    rows = grouped.limit(most + 1).collect()
    if len(rows) > most:
        found = f"more than {most:,}"
        hint = "join them before: write the person into the customer column, and use --identities as-written"
        expected = f"at most {most:,} different statements that ids are one person's"
        raise TruenorthError([Problem(path="other_id", expected=expected, found=found, hint=hint)])
    return [Statement(who, other, cast("Kind", kind), *earliest) for who, other, kind, earliest in rows]


def _or_empty(column: Column | None) -> Column:
    from pyspark.sql import functions as f

    return f.lit("") if column is None else f.coalesce(column.cast("string"), f.lit(""))


def _id(log: Narrow) -> Column:
    from pyspark.sql import functions as f

    position = f.col(quoted(POSITION)).cast("string")
    own = log.of("id")
    return (position if own is None else f.coalesce(own.cast("string"), position)).alias("id")

"""Writing XES."""

from __future__ import annotations

import polars as pl

from truenorth.logs.cases import CASE_PREFIX, of_cases
from truenorth.logs.log import INSTANT
from truenorth.spec.problems import Problem, TruenorthError

KEYS = {
    "type": "concept:name",
    "time": "time:timestamp",
    "actor": "org:resource",
    "team": "org:group",
    "cost": "cost:total",
}
"""Canonical fields under the keys of the standard; all others go by their own names."""

EXTENSIONS = {"Concept": "concept", "Time": "time", "Organizational": "org", "Lifecycle": "lifecycle", "Cost": "cost"}
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
FORBIDDEN = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]"
"""Characters that XML cannot hold in any way; they are replaced by U+FFFD."""

INSTANT_FORMAT = "%Y-%m-%dT%H:%M:%S%.6f+00:00"


def write_xes(frame: pl.DataFrame) -> bytes:
    """XES with one trace a case, in the order in which the cases first appear.

    Events without a case stand outside of traces; in a log without cases, a trace holds the events of a customer.
    """
    key = next((name for name in ("case", "customer") if name in frame.columns), None)
    _check(frame)
    inner = of_cases(frame)
    event_columns = [
        name for name in frame.columns if name not in inner and name != "case" and _keep_id(frame, name, key)
    ]
    events = pl.concat_str(
        [pl.lit("\t\t<event>\n"), *_attributes(frame, event_columns, "\t\t\t"), pl.lit("\t\t</event>\n")],
        ignore_nulls=True,
    )
    rows = frame.select(
        events.alias("text"), *([pl.col(key).alias("key")] if key else [pl.lit(None, pl.String).alias("key")]), *inner
    )
    return "".join([_header(), *_traces(rows, inner, named=key == "case"), "</log>\n"]).encode()


def _check(frame: pl.DataFrame) -> None:
    taken = {KEYS[name] for name in KEYS if name in frame.columns}
    clash = [name for name in frame.columns if name in taken]
    if clash:
        raise TruenorthError(
            [
                Problem(
                    path=name,
                    expected="a property that is no canonical field of XES",
                    found=f"'{name}'",
                    hint="rename it",
                )
                for name in clash
            ]
        )


def _keep_id(frame: pl.DataFrame, name: str, key: str | None) -> bool:
    """Positions are left out if the rows keep their places when they are put into traces."""
    if name != "id" or not frame["id"].dtype.is_integer():
        return True
    if key is None:
        return True
    rows = frame.select("id", key).with_row_index("row")
    ordered = rows.with_columns(last=pl.col(key).is_null(), first=pl.col("row").min().over(key))
    ids = ordered.sort("last", "first", "row")["id"]
    return not bool((ids == pl.int_range(1, len(ids) + 1, eager=True)).all())


def _header() -> str:
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">',
        *(
            f'\t<extension name="{name}" prefix="{prefix}" uri="http://www.xes-standard.org/{prefix}.xesext"/>'
            for name, prefix in EXTENSIONS.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def _attributes(frame: pl.DataFrame, names: list[str], indent: str, prefix: str = "") -> list[pl.Expr]:
    return [
        one
        for name in names
        if (one := _attribute(frame.schema[name], name, KEYS.get(name, name).removeprefix(prefix), indent)) is not None
    ]


def _attribute(dtype: pl.DataType, name: str, key: str, indent: str) -> pl.Expr | None:
    """The text of one attribute of each event, null where it has none."""
    column = pl.col(name)
    if dtype == pl.Null:
        return None
    if dtype == INSTANT:
        tag, text = "date", column.dt.strftime(INSTANT_FORMAT)
    elif dtype == pl.Boolean:
        tag, text = "boolean", column.cast(pl.String)
    elif dtype.is_integer():
        tag, text = ("string" if name == "id" else "int"), column.cast(pl.String)
    elif dtype.is_float():
        tag, text = "float", column.cast(pl.String).replace({"inf": "INF", "-inf": "-INF"})
    else:
        tag, text = "string", escaped(column.cast(pl.String))
    shown = pl.select(escaped(pl.lit(key))).item()
    return pl.concat_str([pl.lit(f'{indent}<{tag} key="{shown}" value="'), text, pl.lit('"/>\n')])


def escaped(text: pl.Expr) -> pl.Expr:
    """Text as it stands in an attribute of XML.

    >>> pl.select(escaped(pl.lit('a < "b"'))).item()
    'a &lt; &quot;b&quot;'
    """
    for character, reference in ESCAPES.items():
        text = text.str.replace_all(character, reference, literal=True)
    return text.str.replace_all(FORBIDDEN, "\N{REPLACEMENT CHARACTER}")


def _traces(rows: pl.DataFrame, inner: list[str], *, named: bool) -> list[str]:
    inside = rows.filter(pl.col("key").is_not_null())
    traces = inside.group_by("key", maintain_order=True).agg(pl.col("text").str.join(""), pl.col(inner).first())
    name = [pl.concat_str([pl.lit('\t\t<string key="concept:name" value="'), escaped(pl.col("key")), pl.lit('"/>\n')])]
    parts = [
        pl.lit("\t<trace>\n"),
        *(name if named else []),
        *_attributes(traces, inner, "\t\t", CASE_PREFIX),
        "text",
        pl.lit("\t</trace>\n"),
    ]
    texts: list[str] = (
        traces.select(pl.concat_str(parts, ignore_nulls=True)).to_series().to_list() if traces.height else []
    )
    return [*texts, *rows.filter(pl.col("key").is_null())["text"].to_list()]

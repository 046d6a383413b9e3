"""Delimited text row by row: where each row starts, and which rows are whole.

Lines are judged by patterns over the whole column of lines; only lines with odd quoting are looked at one by one.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

import polars as pl

from truenorth.logs.table import RAW_ROW_LENGTH

MOST_LINES_PER_ROW = 1_000
"""A quoted field that runs on for more lines than this was never meant to."""

_ROWS = {"line": pl.Int64, "position": pl.Int64, "reason": pl.String, "row": pl.String}


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows with columns ``line``, ``position``, ``reason`` and ``row``; the good ones can be read as they stand."""

    good: pl.DataFrame
    bad: pl.DataFrame

    def locate(self, rows: pl.Series) -> pl.DataFrame:
        """Line number and text of good rows by their number from 0."""
        return self.good[rows.to_list()].select("line", pl.col("row").str.slice(0, RAW_ROW_LENGTH))


def split_rows(body: bytes, separator: str, n_columns: int, first_line: int, cut: str = "") -> Rows:
    """Take the text below a header apart into rows; blank lines are no rows.

    ``first_line`` is the line number of the first line of ``body``. If the file was ``cut``, its last row is not whole.

    >>> split_rows(b"1,2\\n3\\n", ",", 2, 2).bad.to_dicts()
    [{'line': 3, 'position': 2, 'reason': '1 field where the header has 2', 'row': '3'}]
    """
    lines = pl.read_lines(body, name="row") if body else pl.DataFrame(schema={"row": pl.String})
    judged = _judge(lines, separator, n_columns)
    special = _Special(judged["row"], separator, n_columns)
    special.walk(judged["odd"].arg_true().to_list(), body)
    blank = " \r" if separator == "\t" else " \t\r"
    plain = judged.with_row_index("at").filter(~pl.col("odd") & (pl.col("row").str.strip_chars(blank) != ""))
    if special.consumed:
        plain = plain.filter(~pl.col("at").is_in(sorted(special.consumed)))
    rows = pl.concat([plain.select(pl.col("at").cast(pl.Int64), "reason", "row"), special.rows()]).sort("at")
    if cut and rows.height and not body.endswith(b"\n"):
        last = pl.int_range(pl.len()) == pl.len() - 1
        rows = rows.with_columns(pl.when(last).then(pl.lit(cut)).otherwise("reason").alias("reason"))
    rows = rows.select(
        (pl.col("at") + first_line).alias("line"),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("position"),
        "reason",
        "row",
    )
    return Rows(good=rows.filter(pl.col("reason").is_null()), bad=rows.filter(pl.col("reason").is_not_null()))


def _field(separator: str) -> str:
    return rf'(?:"(?:[^"]|"")*"|[^"{re.escape(separator)}]*)'


def _judge(lines: pl.DataFrame, separator: str, n_columns: int) -> pl.DataFrame:
    """Each line with the reason why it is no whole row (null if it is), and whether its quoting is odd."""
    one = _field(separator)
    whole = rf"^{one}(?:{re.escape(separator)}{one})*\r?$"
    quoted = pl.col("row").str.contains('"', literal=True)
    bare = pl.when(quoted).then(pl.col("row").str.replace_all(r'"(?:[^"]|"")*"', "")).otherwise("row")
    n_fields = bare.str.count_matches(separator, literal=True).cast(pl.Int64) + 1
    return lines.with_columns(n=n_fields, odd=quoted & ~pl.col("row").str.contains(whole)).select(
        "row", "odd", _reason(n_columns).alias("reason")
    )


def _reason(n_columns: int) -> pl.Expr:
    fields = pl.when(pl.col("n") == 1).then(pl.lit("field")).otherwise(pl.lit("fields"))
    wrong = pl.format("{} {} where the header has {}", "n", fields, pl.lit(n_columns))
    nul = pl.col("row").str.contains("\0", literal=True)
    return pl.when(nul).then(pl.lit("holds NUL bytes")).when(pl.col("n") != n_columns).then(wrong)


class _Special:
    """The rows whose quoting is odd: fields over several lines, quotes in the middle of text, quotes never closed."""

    def __init__(self, lines: pl.Series, separator: str, n_columns: int) -> None:
        one = _field(separator)
        sep = re.escape(separator)
        self._lines = lines
        self._separator = separator
        self._n_columns = n_columns
        self._open = re.compile(rf'^(?:{one}{sep})*"(?:[^"]|"")*$')
        self._found: list[tuple[int, str | None, str]] = []
        self.consumed: set[int] = set()

    def rows(self) -> pl.DataFrame:
        return pl.DataFrame(self._found, schema={"at": pl.Int64, "reason": pl.String, "row": pl.String}, orient="row")

    def walk(self, odd: list[int], body: bytes) -> None:
        starts = _line_starts(body) if odd else []
        done = -1
        for at in odd:
            if at <= done:
                continue
            done = self._assemble(at, body, starts)

    def _assemble(self, at: int, body: bytes, starts: list[int]) -> int:
        """Read the row that starts at a line; the last line that belongs to it."""
        text = str(self._lines[at])
        if not self._open.match(text):
            self._take_loosely(at, text)
            return at
        last = min(at + MOST_LINES_PER_ROW, len(self._lines)) - 1
        for end in range(at + 1, last + 1):
            if '"' not in self._lines[end]:
                continue
            text = body[starts[at] : starts[end + 1]].decode().rstrip("\r\n")
            if not self._open.match(text):
                if _n_fields(text, self._separator) != self._n_columns:
                    break
                self._take_loosely(at, text)
                self.consumed.update(range(at, end + 1))
                return end
        self._found.append((at, "a quote is opened in this line and never closed", str(self._lines[at])))
        return at

    def _take_loosely(self, at: int, text: str) -> None:
        fields = _fields(text, self._separator)
        if "\0" in text:
            self._found.append((at, "holds NUL bytes", text))
        elif len(fields) == self._n_columns:
            self._found.append((at, None, _written(fields, self._separator)))
        else:
            plural = "field" if len(fields) == 1 else "fields"
            self._found.append((at, f"{len(fields)} {plural} where the header has {self._n_columns}", text))


def _line_starts(body: bytes) -> list[int]:
    starts = [0]
    starts.extend(match.end() for match in re.finditer(b"\n", body))
    if not body.endswith(b"\n"):
        starts.append(len(body))
    return starts


def _fields(text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    except csv.Error:
        return []


def _n_fields(text: str, separator: str) -> int:
    return len(_fields(text, separator))


def _written(fields: list[str], separator: str) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="").writerow(fields)
    return line.getvalue()

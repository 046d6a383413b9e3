"""The log as one file that every command reads: page by page, whatever its size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from truenorth.logs.whole import whole_file
from truenorth.server.exports.pages import Exported, Readable, Tell, as_frame, as_json, pages, parts
from truenorth.spec.problems import Problem, TruenorthError


def export_file(log: Readable, path: Path, tell: Tell = lambda _stage, _share: None) -> Exported:
    """Write the whole log, archived events too, in the order of arrival.

    JSON Lines or Parquet, by the file's name. The file appears as a whole or not at all. Fields have their canonical
    names; ``properties`` is a JSON object (in Parquet its text); ``other_id`` and ``other_kind`` are there where an
    event has them. Raises `TruenorthError` for another name or a place where nothing can be written.
    """
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        expected = f"a file name that ends in {' or '.join(_WRITERS)}"
        hint = "convert it afterwards: 'truenorth convert' writes CSV, XES and OCEL"
        raise TruenorthError([Problem(path=str(path), expected=expected, found=f"'{path.name}'", hint=hint)])
    with whole_file(path) as temporary:
        return write(log, temporary, tell)


def _write_lines(log: Readable, path: Path, tell: Tell) -> Exported:
    done = Exported(0, 0)
    with path.open("wb") as file:
        for page in pages(log, tell):
            file.writelines(as_json(one.event) + b"\n" for one in page)
            done = Exported(done.n_events + len(page), page[-1].position)
    return done


def _write_parquet(log: Readable, path: Path, tell: Tell) -> Exported:
    """Parts first, then one file of them: none of it is in memory as a whole."""
    done = Exported(0, 0)
    with TemporaryDirectory(prefix=".export-", dir=path.parent) as folder:
        as_frame([]).write_parquet(Path(folder, "0.parquet"))
        for part in parts(log, tell):
            as_frame([one.event for one in part]).write_parquet(Path(folder, f"{part[-1].position:020}.parquet"))
            done = Exported(done.n_events + len(part), part[-1].position)
        pl.scan_parquet(Path(folder, "*.parquet")).sink_parquet(path, compression="zstd")
    return done


_WRITERS: dict[str, Callable[[Readable, Path, Tell], Exported]] = {".jsonl": _write_lines, ".parquet": _write_parquet}

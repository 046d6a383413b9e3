"""The log as a folder of Parquet files, a sub-folder for each day: each export adds what is new.

    FOLDER/day=2026-01-05/part-00000000000000000001.parquet
    FOLDER/_truenorth.json

``day`` is the day of ``time`` in UTC; the number is the position in the log of the first event of the part, so that
files in the order of their numbers, and rows in the order of a file, are the order of arrival among events of a day.
`_truenorth.json` is written last and says up to which position all is there: files beyond it are what an export that
was cut off has left, and are removed by the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from os import fspath
from pathlib import Path

import msgspec
import polars as pl

from truenorth.logs.parquet import FOLDER_MARK
from truenorth.logs.whole import whole_file
from truenorth.server.exports.mark import Mark, continued
from truenorth.server.exports.pages import Exported, Tell, as_frame, parts
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.ports import EventLog, Stored

DAY = "day"
_YEARS = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
"""A time outside of the years that a text can say is in the folder of the first or the last day."""
_MARKS = msgspec.json.Decoder(Mark)


def export_folder(
    log: EventLog,
    folder: Path,
    n_erasures: int = 0,
    *,
    anew: bool = False,
    tell: Tell = lambda _stage, _share: None,
) -> Exported:
    """Add to a folder what the log has got since the last export; ``anew`` writes all of it again.

    ``n_erasures`` is how many people have been erased from the store: a folder that was filled before somebody was
    erased still holds them, so that nothing is added to it, and the error says to write it anew. Raises
    `TruenorthError` for that, for a folder that holds something else, and where nothing can be written.
    """
    mark = continued(Mark() if anew else _mark(folder), n_erasures, fspath(folder))
    if anew:
        (folder / FOLDER_MARK).unlink(missing_ok=True)
    _remove_beyond(folder, mark.position)
    n_events = 0
    for part in parts(log, tell, mark.position):
        _write(folder, part)
        mark = Mark(part[-1].position, n_erasures)
        _save(folder, mark)
        n_events += len(part)
    _save(folder, mark)
    return Exported(n_events, mark.position)


def _mark(folder: Path) -> Mark:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _MARKS.decode((folder / FOLDER_MARK).read_bytes())
    except FileNotFoundError:
        found = next((path.name for path in folder.iterdir() if not path.name.startswith(f"{DAY}=")), None)
        if found is None:
            return Mark()
        problem = Problem(
            path=fspath(folder),
            expected="an empty folder, or one that an export has filled",
            found=f"'{found}'",
            hint="name another folder",
        )
    except msgspec.MsgspecError as error:
        problem = Problem(
            path=fspath(folder / FOLDER_MARK),
            expected="what an export wrote",
            found=str(error),
            hint="write it anew: --anew",
        )
    except OSError as error:
        problem = Problem(
            path=fspath(folder),
            expected="a folder to write to",
            found=error.strerror or str(error),
            hint="name a folder that is yours to write to",
        )
    raise TruenorthError([problem])


def _remove_beyond(folder: Path, position: int) -> None:
    for path in folder.glob(f"{DAY}=*/part-*.parquet"):
        if int(path.stem.removeprefix("part-")) > position:
            path.unlink()


def _write(folder: Path, part: Sequence[Stored]) -> None:
    frame = as_frame([one.event for one in part]).with_columns(
        pl.Series("position", [one.position for one in part], pl.Int64),
        pl.col("time").clip(*_YEARS).dt.strftime("%Y-%m-%d").alias(DAY),
    )
    for (day,), rows in frame.partition_by(DAY, as_dict=True, maintain_order=True).items():
        path = folder / f"{DAY}={day}" / f"part-{rows['position'][0]:020}.parquet"
        path.parent.mkdir(exist_ok=True)
        with whole_file(path) as temporary:
            rows.drop("position", DAY).write_parquet(temporary, compression="zstd")


def _save(folder: Path, mark: Mark) -> None:
    with whole_file(folder / FOLDER_MARK) as temporary:
        temporary.write_bytes(msgspec.json.encode(mark))

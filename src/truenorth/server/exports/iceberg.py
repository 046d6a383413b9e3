"""The log as an Apache Iceberg table in a folder: each export appends what is new, in snapshots that say how far it is.

The table is `truenorth.events`, partitioned by the day of ``time``; its catalogue is the SQLite file `catalog.db` of
the folder. A part of the log is one snapshot: its property `truenorth.position` says up to which position all is there,
so that an export that was cut off is taken up where it ended.
"""

from __future__ import annotations

from importlib.util import find_spec
from os import fspath
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

from truenorth.server.exports.mark import Mark, continued
from truenorth.server.exports.pages import Exported, Tell, as_frame, parts
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.ports import EventLog

if TYPE_CHECKING:
    from pyiceberg.table import Table

NAMESPACE = "truenorth"
TABLE = (NAMESPACE, "events")
POSITION = "truenorth.position"
ERASURES = "truenorth.erasures"


def export_iceberg(
    log: EventLog,
    folder: Path,
    n_erasures: int = 0,
    *,
    anew: bool = False,
    tell: Tell = lambda _stage, _share: None,
) -> Exported:
    """Append to the table of a folder what the log has got since the last export; ``anew`` makes it again.

    ``anew`` removes the folder's older snapshots too, so that nobody who was erased is left in them; for erasures see
    `export_folder`. Raises `TruenorthError` where the extra `export` is not installed or the folder cannot be used.
    """
    if find_spec("pyiceberg") is None:
        raise _not_installed()
    try:
        table = _table(folder, anew=anew)
    except OSError as error:
        found = error.strerror or str(error)
        hint = "name a folder that is yours to write to"
        raise TruenorthError(
            [Problem(path=fspath(folder), expected="a folder to write to", found=found, hint=hint)]
        ) from error
    mark = continued(_mark(table), n_erasures, fspath(folder))
    n_events = 0
    for part in parts(log, tell, mark.position):
        mark = Mark(part[-1].position, n_erasures)
        frame = as_frame([one.event for one in part])
        table.append(frame.to_arrow(), {POSITION: str(mark.position), ERASURES: str(n_erasures)})
        n_events += len(part)
    return Exported(n_events, mark.position)


def _table(folder: Path, *, anew: bool) -> Table:
    from pyiceberg.catalog.sql import SqlCatalog  # noqa: PLC0415  (loaded only where it is asked for)
    from pyiceberg.exceptions import NoSuchTableError  # noqa: PLC0415

    if anew:
        rmtree(folder / NAMESPACE, ignore_errors=True)
        (folder / "catalog.db").unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    place = folder.resolve()
    catalog = SqlCatalog(NAMESPACE, uri=f"sqlite:///{place}/catalog.db", warehouse=place.as_uri())
    catalog.create_namespace_if_not_exists(NAMESPACE)
    try:
        return catalog.load_table(TABLE)
    except NoSuchTableError:
        table = catalog.create_table(TABLE, as_frame([]).to_arrow().schema)
        with table.update_spec() as spec:
            spec.add_field("time", "day", "day")
        return table


def _mark(table: Table) -> Mark:
    snapshot = table.current_snapshot()
    if snapshot is None or snapshot.summary is None:
        return Mark()
    said = snapshot.summary
    return Mark(int(said[POSITION] or 0), int(said[ERASURES] or 0))


def _not_installed() -> TruenorthError:
    expected, found = "the libraries that write Iceberg tables", "they are not installed"
    return TruenorthError(
        [Problem(path="--iceberg-path", expected=expected, found=found, hint="pip install 'truenorth[export]'")]
    )

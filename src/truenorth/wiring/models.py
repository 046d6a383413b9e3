"""The composition of models in a store: learnt from its log, kept in it, promoted, watched."""

from __future__ import annotations

from collections.abc import Sequence

from truenorth.foresight.backtest import Asked
from truenorth.foresight.train import Effort, Tell
from truenorth.server.foreseeing import promoting, watching
from truenorth.server.foreseeing.teaching import Taught, judged_log, taught
from truenorth.server.foreseeing.watching import Seen
from truenorth.store.foresight_rows import Look, ModelRow
from truenorth.store.opening import Store
from truenorth.wiring.store import existing_store, now_us, user_name
from truenorth.wiring.threads import n_threads


def train(url: str, journey: str, asked: Asked, seed: int, tell: Tell, *, without: Sequence[str] = ()) -> Taught:
    """Learn from a store's log and keep the model there, as a shadow. Columns in ``without`` are left out."""
    with existing_store(url) as store:
        judged = judged_log(store, journey, tell, without=without)
        found = taught(judged, asked, Effort(n_threads=n_threads()), seed=seed, now_us=now_us(), tell=tell)
        store.models.add(found.row, found.foresight.to_bytes())
        store.audit.note(user_name(), "trained a model", about=_about(found.row), now_us=now_us())
    return found


def models(url: str, journey: str | None) -> Sequence[ModelRow]:
    """All models, or those of a journey."""
    with existing_store(url) as store:
        return store.models.list(journey)


def model(url: str, journey: str, version: str | None) -> tuple[ModelRow, Sequence[Look]]:
    """A model, the live one if none is named, with the looks at it, the newest first."""
    with existing_store(url) as store:
        row = promoting.found(store, journey, version or _live(store, journey))
        return row, store.models.looks(journey, row.version)


def promote(url: str, journey: str, version: str, *, insisted: bool) -> ModelRow:
    """Make a model live."""
    with existing_store(url) as store:
        row = promoting.promote(store, journey, version, insisted=insisted, now_us=now_us())
        what = "promoted a model" + ("" if row.beats else " although it is not better")
        store.audit.note(user_name(), what, about=_about(row), now_us=now_us())
    return row


def roll_back(url: str, journey: str) -> ModelRow:
    """Make the model live that was so before."""
    with existing_store(url) as store:
        row = promoting.roll_back(store, journey, now_us=now_us())
        store.audit.note(user_name(), "rolled back to a model", about=_about(row), now_us=now_us())
    return row


def retire(url: str, journey: str, version: str) -> ModelRow:
    """Ask a model no more."""
    with existing_store(url) as store:
        promoting.found(store, journey, version)
        store.models.retire(journey, version)
        row = promoting.found(store, journey, version)
        store.audit.note(user_name(), "retired a model", about=_about(row), now_us=now_us())
    return row


def watch(url: str, journey: str, version: str | None, *, propose: bool, seed: int, tell: Tell) -> Seen:
    """Look at a model, the live one if none is named, and keep what is seen."""
    effort = Effort(n_threads=n_threads())
    with existing_store(url) as store:
        asked = version or _live(store, journey)
        return watching.look(
            store, journey, asked, propose=propose, effort=effort, seed=seed, now_us=now_us(), tell=tell
        )


def _live(store: Store, journey: str) -> str:
    live = store.models.live(journey)
    return live.version if live else "(live)"


def _about(row: ModelRow) -> str:
    return f"{row.journey} {row.version}"

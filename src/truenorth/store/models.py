"""Models of journeys: what was learnt, which of them is asked, and how they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, func, insert, select, update

from truenorth.store.database import Database, Turn
from truenorth.store.foresight_rows import Look, ModelRow
from truenorth.store.results import n_erasures_of
from truenorth.store.tables import JOURNEY, MODEL, MODEL_LOOK, RISK, RISK_PAST

LOOKS_KEPT = 100
"""Looks at a model that are kept; older ones go."""
COLUMNS = [MODEL.c[name] for name in ModelRow.__struct_fields__]

_LIVE = and_(JOURNEY.c.name == MODEL.c.journey, JOURNEY.c.state == "live")
_STANDING = (
    select(MODEL.c.journey, MODEL.c.version, MODEL.c.state, func.max(JOURNEY.c.version))
    .join(JOURNEY, _LIVE)
    .where(MODEL.c.state.in_(("live", "shadow")))
    .group_by(MODEL.c.journey, MODEL.c.version, MODEL.c.state)
    .order_by(MODEL.c.journey, MODEL.c.version)
)


class Models:
    """At most one model of a journey is live; any number are shadows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: ModelRow, blob: bytes) -> bool:
        """Keep a model as a shadow; false where this very one is there already, in whatever state."""
        values = {**msgspec.structs.asdict(row), "beats": int(row.beats), "state": "shadow", "blob": blob}
        with self._database.writing(Turn.RESULTS) as connection:
            new = self._database.insert(MODEL).values(values).on_conflict_do_nothing().returning(MODEL.c.version)
            return connection.execute(new).first() is not None

    def list(self, journey: str | None = None) -> Sequence[ModelRow]:
        """Models by journey, the newest first."""
        asked = select(*COLUMNS).order_by(MODEL.c.journey, MODEL.c.made_us.desc(), MODEL.c.version)
        if journey is not None:
            asked = asked.where(MODEL.c.journey == journey)
        with self._database.reading() as connection:
            return [_model(row) for row in connection.execute(asked).all()]

    def asked(self) -> Sequence[ModelRow]:
        """Models that are asked: live ones and shadows, by journey."""
        of = MODEL.c.state.in_(("live", "shadow"))
        asked = select(*COLUMNS).where(of).order_by(MODEL.c.journey, MODEL.c.version)
        with self._database.reading() as connection:
            return [_model(row) for row in connection.execute(asked).all()]

    def standing(self) -> tuple[int, Sequence[tuple[str, str, str, int]]]:
        """What a foreseer looks at before each step, all of one instant: how many erasures there have been, and which
        models are asked (journey, version, state, newest live version of the journey), by journey and version."""
        with self._database.reading() as connection:
            return n_erasures_of(connection), [tuple(row) for row in connection.execute(_STANDING)]

    def find(self, journey: str, version: str) -> ModelRow | None:
        """A model, or None."""
        return self._one(_this(journey, version))

    def live(self, journey: str) -> ModelRow | None:
        """The live model of a journey, or None."""
        return self._one(and_(MODEL.c.journey == journey, MODEL.c.state == "live"))

    def before(self, journey: str) -> ModelRow | None:
        """The model that was live before the one that is, or None: where a roll-back goes."""
        was_live = and_(MODEL.c.journey == journey, MODEL.c.state == "retired", MODEL.c.live_us.is_not(None))
        return self._one(was_live)

    def blob(self, journey: str, version: str) -> bytes | None:
        """The bytes of a model, or None."""
        with self._database.reading() as connection:
            found = connection.scalar(select(MODEL.c.blob).where(_this(journey, version)))
        return None if found is None else bytes(found)

    def promote(self, journey: str, version: str, *, now_us: int) -> bool:
        """Make a model the live one of its journey; the one that was is retired. False if there is no such model.

        Who was alarmed by the old one stays so: nobody is told the same twice.
        """
        with self._database.writing(Turn.RESULTS) as connection:
            old = connection.scalar(select(MODEL.c.version).where(MODEL.c.journey == journey, MODEL.c.state == "live"))
            if old == version:
                return True
            changed = update(MODEL).where(_this(journey, version)).values(state="live", live_us=now_us)
            if not connection.execute(changed).rowcount:
                return False
            if old is not None:
                _hand_over(connection, journey, old, version)
                _retire(connection, journey, old)
            return True

    def retire(self, journey: str, version: str) -> bool:
        """Ask a model no more; its risks go, their history stays. False if there is no such model."""
        with self._database.writing(Turn.RESULTS) as connection:
            return _retire(connection, journey, version)

    def remove(self, journey: str, version: str) -> bool:
        """Remove a model with its risks, their history, and the looks at it; false if there is none."""
        with self._database.writing(Turn.RESULTS) as connection:
            _retire(connection, journey, version)
            of = and_(RISK_PAST.c.journey == journey, RISK_PAST.c.model == version)
            connection.execute(delete(RISK_PAST).where(of))
            looks = and_(MODEL_LOOK.c.journey == journey, MODEL_LOOK.c.version == version)
            connection.execute(delete(MODEL_LOOK).where(looks))
            return connection.execute(delete(MODEL).where(_this(journey, version))).rowcount > 0

    def put_level(
        self, journey: str, version: str, level: float, ends: tuple[float, float] | None = None, *, now_us: int
    ) -> None:
        """Note the level of a model's risks, where its intervals end, and the instant at which both were learnt."""
        low, high = ends or (None, None)
        noted = update(MODEL).values(level=level, level_us=now_us, ends_low=low, ends_high=high)
        with self._database.writing(Turn.RESULTS) as connection:
            connection.execute(noted.where(_this(journey, version)))

    def note_look(self, journey: str, version: str, body: bytes, *, now_us: int) -> int:
        """Keep a look at a model; its number."""
        of = and_(MODEL_LOOK.c.journey == journey, MODEL_LOOK.c.version == version)
        with self._database.writing(Turn.RESULTS) as connection:
            values = {"journey": journey, "version": version, "at_us": now_us, "body": body}
            number: int = connection.execute(
                insert(MODEL_LOOK).values(values).returning(MODEL_LOOK.c.number)
            ).scalar_one()
            newest = select(MODEL_LOOK.c.number).where(of).order_by(MODEL_LOOK.c.number.desc())
            first_kept = connection.scalar(newest.offset(LOOKS_KEPT - 1).limit(1))
            if first_kept is not None:
                connection.execute(delete(MODEL_LOOK).where(of, MODEL_LOOK.c.number < first_kept))
        return number

    def looks(self, journey: str, version: str, *, limit: int = LOOKS_KEPT) -> Sequence[Look]:
        """The looks at a model, the newest first."""
        of = and_(MODEL_LOOK.c.journey == journey, MODEL_LOOK.c.version == version)
        asked = select(MODEL_LOOK).where(of).order_by(MODEL_LOOK.c.number.desc()).limit(limit)
        with self._database.reading() as connection:
            return [Look(**row) for row in connection.execute(asked).mappings()]

    def n_risks(self, journey: str) -> dict[str, int]:
        """How many open cases each model of a journey has a risk of."""
        counted = select(RISK.c.model, func.count()).where(RISK.c.journey == journey).group_by(RISK.c.model)
        with self._database.reading() as connection:
            return dict(connection.execute(counted).all())

    def _one(self, where: Any) -> ModelRow | None:
        asked = select(*COLUMNS).where(where).order_by(MODEL.c.live_us.desc(), MODEL.c.version).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(asked).first()
        return _model(row) if row else None


def _this(journey: str, version: str) -> Any:
    return and_(MODEL.c.journey == journey, MODEL.c.version == version)


def _hand_over(connection: Connection, journey: str, old: str, new: str) -> None:
    of_old = and_(RISK.c.journey == journey, RISK.c.model == old, RISK.c.alarmed == 1)
    alarmed = select(RISK.c.case).where(of_old).scalar_subquery()
    of_new = and_(RISK.c.journey == journey, RISK.c.model == new, RISK.c.case.in_(alarmed))
    connection.execute(update(RISK).where(of_new).values(alarmed=1))


def _retire(connection: Connection, journey: str, version: str) -> bool:
    connection.execute(delete(RISK).where(RISK.c.journey == journey, RISK.c.model == version))
    retired = update(MODEL).where(_this(journey, version)).values(state="retired")
    return connection.execute(retired).rowcount > 0


def _model(row: Any) -> ModelRow:
    return ModelRow(**{**row._mapping, "beats": bool(row.beats)})

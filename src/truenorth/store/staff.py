"""People of the company: who they are, what they are trained to, and the classes that train them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import RowMapping, and_, bindparam, delete, func, insert, select, update

from truenorth.store.acting_tables import ACCREDITATION, BOOKING, COURSE, COURSE_CLASS, PERSON, TEAM
from truenorth.store.database import Database, Turn
from truenorth.store.upsert import upsert

BookingState = Literal["booked", "finished", "cancelled"]


class StaffMember(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who decides."""

    id: str
    name: str
    roles: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    added_us: int


class StaffTeam(msgspec.Struct, frozen=True, kw_only=True):
    """A team: what is proposed to its queue is within the authority of its roles, for its journeys."""

    name: str
    roles: tuple[str, ...] = ()
    journeys: tuple[str, ...] = ()


class Accreditation(msgspec.Struct, frozen=True, kw_only=True):
    """A level to which somebody was trained; it ends at ``expires_us``, if ever."""

    person: str
    level: str
    granted_us: int
    expires_us: int | None = None
    by: str


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """A course that leads to a level, which then holds for ``valid_us``."""

    name: str
    title: str
    level: str
    format: str
    lasts_us: int | None = None
    valid_us: int | None = None


class CourseClass(msgspec.Struct, frozen=True, kw_only=True):
    """A class of a course; ``n_booked`` of its seats are taken."""

    number: int
    course: str
    starts_us: int
    seats: int
    n_booked: int = 0


_LISTS = ("roles", "teams", "journeys")
_MEMBERS = select(PERSON).order_by(PERSON.c.id)
_MEMBER = _MEMBERS.where(PERSON.c.id == bindparam("id"))
_TEAMS = select(TEAM).order_by(TEAM.c.name)
_LEVELS = select(ACCREDITATION).order_by(ACCREDITATION.c.person, ACCREDITATION.c.level)
_LEVELS_OF = _LEVELS.where(ACCREDITATION.c.person == bindparam("person"))


class Staff:
    """Who they are, by id. Decisions ask it each time: what somebody may do ends the moment it ends here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, members: Sequence[StaffMember] = (), teams: Sequence[StaffTeam] = ()) -> None:
        """Add or replace people and teams."""
        with self._database.writing(Turn.DECISIONS) as connection:
            for table, kind, rows in ((PERSON, StaffMember, members), (TEAM, StaffTeam, teams)):
                names = kind.__struct_fields__
                upsert(self._database, connection, table, names, [_values(row, names) for row in rows])

    def load(
        self,
        members: Sequence[StaffMember],
        teams: Sequence[StaffTeam],
        reached: Sequence[Accreditation],
        *,
        now_us: int,
    ) -> None:
        """Add or replace people, as added now, teams and levels."""
        self.put([msgspec.structs.replace(one, added_us=now_us) for one in members], teams)
        for one in reached:
            self.grant(one)

    def remove(self, id: str) -> bool:  # noqa: A002  # the column's name
        """Remove somebody with all accreditations; false if there is nobody of this id."""
        with self._database.writing(Turn.DECISIONS) as connection:
            connection.execute(delete(ACCREDITATION).where(ACCREDITATION.c.person == id))
            return connection.execute(delete(PERSON).where(PERSON.c.id == id)).rowcount > 0

    def member(self, id: str) -> StaffMember | None:  # noqa: A002  # the column's name
        """Somebody, or None."""
        with self._database.reading() as connection:
            row = connection.execute(_MEMBER, {"id": id}).mappings().first()
        return StaffMember(**_read(row)) if row else None

    def members(self) -> Sequence[StaffMember]:
        """All, by id."""
        with self._database.reading() as connection:
            return [StaffMember(**_read(row)) for row in connection.execute(_MEMBERS).mappings()]

    def teams(self) -> Sequence[StaffTeam]:
        """All teams, by name."""
        with self._database.reading() as connection:
            return [StaffTeam(**_read(row)) for row in connection.execute(_TEAMS).mappings()]

    def grant(self, accreditation: Accreditation) -> None:
        """Note that somebody has reached a level."""
        names = Accreditation.__struct_fields__
        with self._database.writing(Turn.DECISIONS) as connection:
            upsert(self._database, connection, ACCREDITATION, names, [msgspec.structs.astuple(accreditation)])

    def accreditations(self, person: str | None = None, *, at_us: int | None = None) -> Sequence[Accreditation]:
        """Levels that were reached; of one person if given, only those that hold at an instant if given."""
        asked = _LEVELS if person is None else _LEVELS_OF
        with self._database.reading() as connection:
            found = [Accreditation(**row) for row in connection.execute(asked, {"person": person}).mappings()]
        return [one for one in found if at_us is None or one.granted_us <= at_us < (one.expires_us or at_us + 1)]

    def add_courses(self, courses: Sequence[Course], classes: Sequence[CourseClass] = ()) -> None:
        """Add or replace courses; add classes that are not there yet (same course, same start)."""
        names = Course.__struct_fields__
        with self._database.writing(Turn.DECISIONS) as connection:
            upsert(self._database, connection, COURSE, names, [msgspec.structs.astuple(course) for course in courses])
            for one in classes:
                same = and_(COURSE_CLASS.c.course == one.course, COURSE_CLASS.c.starts_us == one.starts_us)
                if connection.execute(update(COURSE_CLASS).where(same).values(seats=one.seats)).rowcount == 0:
                    values = {"course": one.course, "starts_us": one.starts_us, "seats": one.seats}
                    connection.execute(insert(COURSE_CLASS).values(values))

    def courses(self) -> Sequence[Course]:
        """All courses, by name."""
        with self._database.reading() as connection:
            return [Course(**row) for row in connection.execute(select(COURSE).order_by(COURSE.c.name)).mappings()]

    def classes(self) -> Sequence[CourseClass]:
        """All classes, by start."""
        booked = (
            select(func.count())
            .where(BOOKING.c["class"] == COURSE_CLASS.c.number, BOOKING.c.state != "cancelled")
            .scalar_subquery()
        )
        asked = select(*COURSE_CLASS.c, booked.label("n_booked")).order_by(
            COURSE_CLASS.c.starts_us, COURSE_CLASS.c.number
        )
        with self._database.reading() as connection:
            return [CourseClass(**row) for row in connection.execute(asked).mappings()]

    def book(self, number: int, person: str, *, now_us: int) -> bool:
        """Take a seat in a class; false if there is none left, or no such class."""
        with self._database.writing(Turn.DECISIONS) as connection:
            seats = connection.scalar(select(COURSE_CLASS.c.seats).where(COURSE_CLASS.c.number == number)) or 0
            others = and_(BOOKING.c["class"] == number, BOOKING.c.state != "cancelled", BOOKING.c.person != person)
            taken = connection.scalar(select(func.count()).select_from(BOOKING).where(others)) or 0
            if taken >= seats:
                return False
            names = ("class", "person", "state", "changed_us")
            upsert(self._database, connection, BOOKING, names, [(number, person, "booked", now_us)])
            return True

    def cancel(self, number: int, person: str, *, now_us: int) -> bool:
        """Give a booked seat back; false if they have none, or have finished."""
        ours = and_(BOOKING.c["class"] == number, BOOKING.c.person == person, BOOKING.c.state == "booked")
        given = update(BOOKING).where(ours).values(state="cancelled", changed_us=now_us)
        with self._database.writing(Turn.DECISIONS) as connection:
            return connection.execute(given).rowcount > 0

    def finish(self, number: int, person: str, *, by: str, now_us: int) -> Accreditation | None:
        """Note that somebody has finished a class they booked: the level is theirs; None if they did not book it."""
        ours = and_(BOOKING.c["class"] == number, BOOKING.c.person == person, BOOKING.c.state == "booked")
        joined = COURSE_CLASS.join(COURSE, COURSE.c.name == COURSE_CLASS.c.course)
        led_to = select(COURSE).select_from(joined).where(COURSE_CLASS.c.number == number)
        with self._database.writing(Turn.DECISIONS) as connection:
            n = connection.execute(update(BOOKING).where(ours).values(state="finished", changed_us=now_us)).rowcount
            found = connection.execute(led_to).mappings().first()
            if not n or found is None:
                return None
            course = Course(**found)
            expires_us = None if course.valid_us is None else now_us + course.valid_us
            reached = Accreditation(person=person, level=course.level, granted_us=now_us, expires_us=expires_us, by=by)
            names = Accreditation.__struct_fields__
            upsert(self._database, connection, ACCREDITATION, names, [msgspec.structs.astuple(reached)])
        return reached


def _values(row: msgspec.Struct, names: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(
        msgspec.json.encode(getattr(row, name)).decode() if name in _LISTS else getattr(row, name) for name in names
    )


def _read(row: RowMapping) -> dict[str, Any]:
    return {name: tuple(msgspec.json.decode(value)) if name in _LISTS else value for name, value in row.items()}

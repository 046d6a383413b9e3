"""The people file: who decides, in which teams, trained to what, and the courses that lead there. YAML to values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from truenorth.spec.actions import read_name
from truenorth.spec.document import Element, Listing, Scalar, Table, Unreadable, read_document
from truenorth.spec.instants import INSTANT_FORM, microseconds, parse_instant
from truenorth.spec.problems import Problem, nearest
from truenorth.spec.readers import (
    Reader,
    Reading,
    child_path,
    read_duration,
    read_number,
    read_row,
    read_text,
    read_texts,
)
from truenorth.store.staff import Accreditation, Course, CourseClass, StaffMember, StaffTeam


class People(msgspec.Struct, frozen=True, kw_only=True):
    """What a people file says. Instants that only the store knows (when somebody was added) are 0."""

    members: tuple[StaffMember, ...] = ()
    teams: tuple[StaffTeam, ...] = ()
    accreditations: tuple[Accreditation, ...] = ()
    courses: tuple[Course, ...] = ()
    classes: tuple[CourseClass, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many of each.

        >>> People().counts()["people"]
        0
        """
        return {
            "people": len(self.members),
            "teams": len(self.teams),
            "accreditations": len(self.accreditations),
            "courses": len(self.courses),
            "classes": len(self.classes),
        }


class LoadedPeople(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a people file: its people, unless there are problems."""

    people: People | None
    problems: tuple[Problem, ...] = ()


def load_people(source: str | bytes) -> LoadedPeople:
    """The people of a YAML text, or everything that is wrong with it.

    >>> load_people("people: [{id: anna, roles: [agent]}]").people.members[0].roles
    ('agent',)
    >>> print(load_people("people: [{id: anna, role: [agent]}]").problems[0])
    line 1, $.people[0].role: expected a known key (id, name, roles, teams, accredited), found 'role'. \
Hint: did you mean 'roles'?
    """
    try:
        element = read_document(source)
    except Unreadable as error:
        return LoadedPeople(people=None, problems=(error.problem,))
    reading = Reading()
    row = read_row(reading, element, "$", FILE_KEYS)
    if row is None:
        return LoadedPeople(people=None, problems=tuple(reading.problems))
    members, reached = row.values.get("people", ((), ()))
    courses, classes = row.values.get("courses", ((), ()))
    teams = row.values.get("teams", ())
    if not reading.problems:
        _check_teams(reading, members, teams)
    if reading.problems:
        return LoadedPeople(people=None, problems=tuple(reading.problems))
    people = People(members=members, teams=teams, accreditations=reached, courses=courses, classes=classes)
    return LoadedPeople(people=people)


def _check_teams(reading: Reading, members: tuple[StaffMember, ...], teams: tuple[StaffTeam, ...]) -> None:
    known = [team.name for team in teams]
    for index, member in enumerate(members):
        for name in member.teams:
            if name not in known:
                hint = nearest(name, known) or "describe it under 'teams'"
                where = f"$.people[{index}].teams"
                here = Scalar(name, line=reading.lines.get(where, 0))
                reading.report(where, here, "a team of this file", hint=hint)


def _read_instant(reading: Reading, element: Element, path: str) -> int | None:
    try:
        found = parse_instant(element.text if isinstance(element, Scalar) else "")
    except ValueError:
        reading.report(path, element, INSTANT_FORM)
        return None
    return microseconds(found)


def _read_seats(reading: Reading, element: Element, path: str) -> int | None:
    number = read_number(reading, element, path)
    if number is not None and (number != int(number) or not 0 < number <= 1_000_000):
        reading.report(path, element, "a whole number of seats, 1 or more")
        return None
    return None if number is None else int(number)


def _rows(
    reading: Reading, element: Element, path: str, keys: Mapping[str, Reader], required: tuple[str, ...]
) -> list[dict[str, Any]]:
    """The values of each mapping of a list that has all that is required."""
    if not isinstance(element, Listing):
        reading.report(path, element, f"a list of mappings with the keys {', '.join(keys)}")
        return []
    found = []
    for index, item in enumerate(element.items):
        row = read_row(reading, item, f"{path}[{index}]", keys, required=required)
        if row is not None and all(name in row.values for name in required):
            found.append(dict(row.values))
    return found


_LEVEL_KEYS: Mapping[str, Reader] = {"level": read_name, "since": _read_instant, "until": _read_instant}


def _read_accredited(reading: Reading, element: Element, path: str) -> list[dict[str, Any]]:
    return _rows(reading, element, path, _LEVEL_KEYS, ("level",))


PERSON_KEYS: Mapping[str, Reader] = {
    "id": read_text,
    "name": read_text,
    "roles": read_texts,
    "teams": read_texts,
    "accredited": _read_accredited,
}
"""The keys of a person and their readers."""


def _read_people(
    reading: Reading, element: Element, path: str
) -> tuple[tuple[StaffMember, ...], tuple[Accreditation, ...]]:
    members: dict[str, StaffMember] = {}
    reached = []
    for row in _rows(reading, element, path, PERSON_KEYS, ("id",)):
        person = row["id"]
        if person in members:
            reading.report(path, element, "each id once", found=f"'{person}' a second time", hint="remove one")
        members[person] = StaffMember(
            id=person,
            name=row.get("name", person),
            roles=row.get("roles", ()),
            teams=row.get("teams", ()),
            added_us=0,
        )
        for level in row.get("accredited", ()):
            since, until = level.get("since", 0), level.get("until")
            reached.append(
                Accreditation(person=person, level=level["level"], granted_us=since, expires_us=until, by="people file")
            )
    return tuple(members.values()), tuple(reached)


_TEAM_KEYS: Mapping[str, Reader] = {"roles": read_texts, "journeys": read_texts}


def _read_teams(reading: Reading, element: Element, path: str) -> tuple[StaffTeam, ...]:
    if not isinstance(element, Table):
        reading.report(path, element, "a mapping from names of teams to their roles and journeys")
        return ()
    teams = []
    for key, part in element.entries:
        row = read_row(reading, part, child_path(path, key.text), _TEAM_KEYS)
        if row is not None:
            teams.append(StaffTeam(name=key.text, **row.values))
    return tuple(teams)


_CLASS_KEYS: Mapping[str, Reader] = {"starts": _read_instant, "seats": _read_seats}


def _read_classes(reading: Reading, element: Element, path: str) -> list[dict[str, Any]]:
    return _rows(reading, element, path, _CLASS_KEYS, ("starts", "seats"))


COURSE_KEYS: Mapping[str, Reader] = {
    "name": read_name,
    "title": read_text,
    "level": read_name,
    "format": read_text,
    "lasts": read_duration,
    "valid": read_duration,
    "classes": _read_classes,
}
"""The keys of a course and their readers."""


def _read_courses(reading: Reading, element: Element, path: str) -> tuple[tuple[Course, ...], tuple[CourseClass, ...]]:
    courses, classes = [], []
    for row in _rows(reading, element, path, COURSE_KEYS, ("name", "level")):
        name = row["name"]
        courses.append(
            Course(
                name=name,
                title=row.get("title", name),
                level=row["level"],
                format=row.get("format", "in person"),
                lasts_us=row.get("lasts"),
                valid_us=row.get("valid"),
            )
        )
        classes += [
            CourseClass(number=0, course=name, starts_us=one["starts"], seats=one["seats"])
            for one in row.get("classes", ())
        ]
    return tuple(courses), tuple(classes)


FILE_KEYS: Mapping[str, Reader] = {"teams": _read_teams, "people": _read_people, "courses": _read_courses}
"""The keys of a people file and their readers."""

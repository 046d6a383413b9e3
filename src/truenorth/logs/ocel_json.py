"""OCEL as JSON: version 2.0, and the older 1.0 (JSON-OCEL)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from truenorth.logs.content import Content, as_utf8
from truenorth.logs.ocel import Change, Event, ObjectLog, declared
from truenorth.logs.table import unreadable

OLD = "ocel:"
"""In version 1.0 every key begins with this."""


class _Attribute(msgspec.Struct):
    name: str
    value: Any = None
    time: Any = None
    type: Any = None


class _Type(msgspec.Struct):
    name: str
    attributes: list[_Attribute] = []


class _Relation(msgspec.Struct):
    object: str = msgspec.field(name="objectId")
    qualifier: str | None = None


class _Object(msgspec.Struct):
    id: str
    type: str
    attributes: list[_Attribute] | None = None


class _Event(msgspec.Struct):
    id: Any = None
    type: Any = None
    time: Any = None
    attributes: list[_Attribute] | None = None
    relations: list[_Relation] | None = msgspec.field(name="relationships", default=None)


class _New(msgspec.Struct):
    events: list[_Event]
    objects: list[_Object]
    event_types: list[_Type] = msgspec.field(name="eventTypes", default=[])
    object_types: list[_Type] = msgspec.field(name="objectTypes", default=[])


class _OldObject(msgspec.Struct):
    type: str = msgspec.field(name="ocel:type")
    values: dict[str, Any] = msgspec.field(name="ocel:ovmap", default={})


class _OldEvent(msgspec.Struct):
    type: Any = msgspec.field(name="ocel:activity", default=None)
    time: Any = msgspec.field(name="ocel:timestamp", default=None)
    objects: list[str] = msgspec.field(name="ocel:omap", default=[])
    values: dict[str, Any] = msgspec.field(name="ocel:vmap", default={})


class _Old(msgspec.Struct):
    events: dict[str, _OldEvent] = msgspec.field(name="ocel:events")
    objects: dict[str, _OldObject] = msgspec.field(name="ocel:objects")


_OLD, _NEW = msgspec.json.Decoder(_Old), msgspec.json.Decoder(_New)


def is_ocel(data: bytes) -> bool:
    """Whether a JSON text is an object-centric log rather than lines of events."""
    first = data.lstrip().split(b"\n", 1)[0]
    for text in (first, data):
        try:
            keys = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            continue
        return {"events", "objects"} <= keys.keys() or any(key.startswith(OLD) for key in keys)
    return b'"objectTypes"' in data[:4_096] or b'"ocel:' in data[:4_096]


def read_ocel_json(path: Path, content: Content) -> tuple[ObjectLog, tuple[str, ...]]:
    """Read an object-centric log, and notes on how it was read.

    Raises `UnreadableLog` with the place where the file has another shape.
    """
    data, notes = as_utf8(content.data)
    old = b'"ocel:events"' in data
    try:
        log = _from_old(_OLD.decode(data)) if old else _from_new(_NEW.decode(data))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        found = content.cut or str(error) or "too deep nesting"
        raise unreadable(path, "an object-centric log (OCEL 2.0)", found, "export it again") from error
    return log, (*content.notes, *notes)


def _from_new(raw: _New) -> ObjectLog:
    event_types = {one.name: {a.name: str(a.type) for a in one.attributes} for one in raw.event_types}
    object_types = {one.name: {a.name: str(a.type) for a in one.attributes} for one in raw.object_types}
    events = [
        Event(
            id=one.id,
            type=one.type,
            time=one.time,
            attributes=declared(
                {a.name: a.value for a in one.attributes or ()},
                event_types.get(one.type, {}) if isinstance(one.type, str) else {},
            ),
            objects=[(relation.object, relation.qualifier or "") for relation in one.relations or ()],
        )
        for one in raw.events
    ]
    changes = [
        Change(one.id, a.name, declared({a.name: a.value}, object_types.get(one.type, {}))[a.name], a.time)
        for one in raw.objects
        for a in one.attributes or ()
    ]
    return ObjectLog(events, {one.id: one.type for one in raw.objects}, changes)


def _from_old(raw: _Old) -> ObjectLog:
    events = [
        Event(id=name, type=one.type, time=one.time, attributes=one.values, objects=[(o, "") for o in one.objects])
        for name, one in raw.events.items()
    ]
    changes = [Change(name, key, value, None) for name, one in raw.objects.items() for key, value in one.values.items()]
    return ObjectLog(events, {name: one.type for name, one in raw.objects.items()}, changes)

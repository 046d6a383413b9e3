"""The record of a decision: made again from its own inputs, and kept without the person when the person goes."""

from __future__ import annotations

import msgspec

from truenorth.action.deciding import decide
from truenorth.action.inputs import decode_inputs, encode_inputs
from truenorth.action.values import Decision


def encode_decision(decision: Decision) -> bytes:
    """Canonical bytes of a decision, its inputs included.

    >>> encode_decision.__name__
    'encode_decision'
    """
    return msgspec.json.encode(decision, order="deterministic")


def decode_decision(raw: bytes) -> Decision:
    """The decision of some bytes; msgspec.ValidationError where they are none."""
    return msgspec.json.decode(raw, type=Decision)


def replay_decision(record: bytes) -> Decision:
    """The decision made once more from the inputs of a record.

    `encode_decision` of it gives the same bytes, if the program decides as it did then.
    """
    return decide(decode_inputs(decode_decision(record).inputs))


def is_reproduced(record: bytes) -> bool:
    """Whether the record can be made again, bit by bit."""
    return encode_decision(replay_decision(record)) == record


def pseudonymous(record: bytes, pseudonym: str) -> bytes:
    """A record in which another name stands for the case, and none for the customer; it can be made again as well."""
    inputs = decode_inputs(decode_decision(record).inputs)
    context = msgspec.structs.replace(inputs.context, case=pseudonym, customer=None)
    decision = decode_decision(record)
    replaced = encode_inputs(msgspec.structs.replace(inputs, context=context))
    return encode_decision(msgspec.structs.replace(decision, case=pseudonym, customer=None, inputs=replaced))

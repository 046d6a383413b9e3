"""The record of a decision: made again from its own inputs.

It is kept without the person when the person goes (`truenorth.store.pseudonyms`), and can be made again then too.
"""

from __future__ import annotations

import msgspec

from truenorth.action.deciding import decide
from truenorth.action.inputs import decode_inputs
from truenorth.action.values import Decision

_DECISIONS = msgspec.json.Decoder(Decision)
"""Made with the module, as all decoders are: two threads that are the first to decode a type crash the process."""


def encode_decision(decision: Decision) -> bytes:
    """Canonical bytes of a decision, its inputs included.

    >>> encode_decision.__name__
    'encode_decision'
    """
    return msgspec.json.encode(decision, order="deterministic")


def decode_decision(raw: bytes) -> Decision:
    """The decision of some bytes; msgspec.ValidationError where they are none."""
    return _DECISIONS.decode(raw)


def replay_decision(record: bytes) -> Decision:
    """The decision made once more from the inputs of a record.

    `encode_decision` of it gives the same bytes, if the program decides as it did then. Inputs that were not known of
    then stand at their defaults; the bytes stay as they were.
    """
    inputs = decode_decision(record).inputs
    return msgspec.structs.replace(decide(decode_inputs(inputs)), inputs=inputs)


def is_reproduced(record: bytes) -> bool:
    """Whether the record can be made again, bit by bit."""
    return encode_decision(replay_decision(record)) == record

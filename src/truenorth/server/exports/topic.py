"""A topic of Kafka that takes messages: what sending, settings and refusals have in common, whatever is sent."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from truenorth.spec.problems import Problem, TruenorthError

if TYPE_CHECKING:
    from confluent_kafka import KafkaError
    from confluent_kafka import Message as Delivered

SEND_S = 60.0
"""The longest wait for the brokers to acknowledge what was sent."""
_LOG = logging.getLogger("truenorth.kafka")
_LOG.addHandler(logging.NullHandler())


class Message(NamedTuple):
    """A message; ``time_ms`` 0 is the time at which it is sent."""

    key: bytes
    value: bytes
    time_ms: int = 0
    headers: Mapping[str, str] = {}


class Topic:
    """A topic, by its name and its brokers."""

    def __init__(self, brokers: str, name: str, settings: Mapping[str, str] | None = None, *, option: str) -> None:
        """``settings`` are further ones of librdkafka, such as security; ``option`` is where an error is looked for.

        Raises `TruenorthError` where the extra `export` is not installed or the settings are not understood. Brokers
        that do not answer are found by the first `send`.
        """
        if find_spec("confluent_kafka") is None:
            expected, hint = "the client of Kafka", "pip install 'truenorth[export]'"
            raise TruenorthError([Problem(path=option, expected=expected, found="it is not installed", hint=hint)])
        from confluent_kafka import KafkaException, Producer  # noqa: PLC0415  (loaded only where it is asked for)

        always = {"bootstrap.servers": brokers, "enable.idempotence": True, "compression.type": "zstd"}
        limits = {"message.timeout.ms": int(SEND_S * 1000), "linger.ms": 20}
        self._brokers, self._name = brokers, name
        try:
            self._producer = Producer({**limits, **(settings or {}), **always}, logger=_LOG)
        except KafkaException as error:
            expected, hint = "settings of a client", "see the settings of librdkafka"
            raise TruenorthError([Problem(path=option, expected=expected, found=str(error), hint=hint)]) from error

    def send(self, messages: Iterable[Message], hint: str) -> None:
        """Send messages and wait until all replicas have them; `TruenorthError` with ``hint`` where they do not."""
        refused: list[str] = []

        def note(error: KafkaError | None, _: Delivered) -> None:
            if error is not None:
                refused.append(error.str())

        for message in messages:
            headers: dict[str, str | bytes | None] = dict(message.headers)
            while True:
                try:
                    self._producer.produce(
                        self._name,
                        message.value,
                        message.key,
                        on_delivery=note,
                        timestamp=message.time_ms,
                        headers=headers,
                    )
                    break
                except BufferError:
                    self._producer.poll(0.1)
        left = self._producer.flush(SEND_S)
        if refused or left:
            found = refused[0] if refused else f"{left} messages were not acknowledged in time"
            expected = "brokers that take messages"
            raise TruenorthError([Problem(path=self._brokers, expected=expected, found=found, hint=hint)])

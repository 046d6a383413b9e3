"""A signal as a webhook's receiver gets it: body, headers and signature, as standardwebhooks.com has them."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable

import msgspec

from truenorth.spec.instants import instant_at
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.rows import Delivery, Signal

SECRET_PREFIX = "whsec_"  # noqa: S105  # the name of the form, no secret
SECRET_BYTES = 32
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64
"""What the standard allows."""


def new_secret(entropy: Callable[[int], bytes]) -> str:
    """A secret for a webhook's signatures.

    >>> new_secret(bytes)[:12]
    'whsec_AAAAAA'
    """
    return SECRET_PREFIX + b64encode(entropy(SECRET_BYTES)).decode()


def secret_key(secret: str) -> bytes:
    """The bytes that sign; `TruenorthError` where a text is no secret of the standard's form."""
    try:
        key = b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if secret.startswith(SECRET_PREFIX) and MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        return key
    expected = f"'{SECRET_PREFIX}' and {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes in base64"
    hint = "leave it out: a good one is made"
    raise TruenorthError([Problem(path="webhook secret", expected=expected, found="something else", hint=hint)])


def message_id(delivery: Delivery) -> str:
    """The idempotency key of a delivery: the same at every attempt, and no other delivery's.

    When the webhook was made is part of it: two stores that send to one receiver do not get in each other's way.
    """
    hook = delivery.webhook
    return f"sig_{hook.created_us:x}_{hook.number}_{delivery.signal.number}"


def body_of(signal: Signal) -> bytes:
    """The JSON that is sent.

    >>> signal = Signal(number=7, journey="support", kind="broken", time_us=0, case="T1", body=b'{"promise":"in_time"}')
    >>> print(msgspec.json.format(body_of(signal), indent=1).decode())
    {
     "type": "broken",
     "timestamp": "1970-01-01T00:00:00Z",
     "data": {
      "number": 7,
      "journey": "support",
      "case": "T1",
      "customer": null,
      "details": {
       "promise": "in_time"
      }
     }
    }
    """
    told = {
        "number": signal.number,
        "journey": signal.journey,
        "case": signal.case,
        "customer": signal.customer,
        "details": msgspec.Raw(signal.body),
    }
    at = instant_at(signal.time_us)
    return msgspec.json.encode({"type": signal.kind, "timestamp": at, "data": told})


def signature(secret: str, id: str, timestamp_s: int, body: bytes) -> str:  # noqa: A002  # the standard's word
    """The standard's symmetric signature, over id, timestamp and body. The example is the standard's own.

    >>> signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
    ...           b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = b"%b.%d.%b" % (id.encode(), timestamp_s, body)
    return f"v1,{b64encode(hmac.digest(secret_key(secret), signed, 'sha256')).decode()}"


def headers_of(delivery: Delivery, body: bytes, now_us: int) -> dict[str, str]:
    """The headers of one attempt: the timestamp and the signature are its own, the id is the delivery's."""
    id, timestamp_s = message_id(delivery), now_us // 1_000_000  # noqa: A001  # the standard's word
    return {
        "content-type": "application/json",
        "user-agent": "truenorth-webhooks",
        "webhook-id": id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": signature(delivery.webhook.secret, id, timestamp_s, body),
    }

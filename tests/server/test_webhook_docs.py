"""docs/webhooks.md is right: its receivers know our signatures, its schedule is the schedule."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from truenorth.server import outbox, retries
from truenorth.server.signals_of import KINDS
from truenorth.server.webhook_message import body_of, headers_of, new_secret
from truenorth.store.rows import Delivery, Signal, Webhook

PAGE = (Path(__file__).parent.parent.parent / "docs" / "webhooks.md").read_text()
SECRET = new_secret(lambda n: bytes(range(n)))


def code(language: str) -> str:
    return PAGE.split(f"```{language}\n")[1].split("```")[0]


def sent(now_us: int) -> tuple[dict[str, str], bytes]:
    hook = Webhook(number=3, url="https://a.example/", secret=SECRET, kinds=(), state="active", created_us=5)
    told = Signal(number=7, journey="support", kind="broken", time_us=0, body='{"what":"é"}'.encode())
    delivery = Delivery(signal=told, webhook=hook, attempts=0)
    body = body_of(told)
    return headers_of(delivery, body, now_us), body


def cases() -> list[tuple[bool, dict[str, str], bytes]]:
    now_us = time.time_ns() // 1000
    headers, body = sent(now_us)
    old, old_body = sent(now_us - 3_600_000_000)
    other = {**headers, "webhook-id": "sig_5_3_8"}
    rotated = {**headers, "webhook-signature": "v1,AAAA " + headers["webhook-signature"]}
    return [
        (True, headers, body),
        (True, rotated, body),
        (False, headers, body + b" "),
        (False, old, old_body),
        (False, other, body),
    ]


@pytest.mark.parametrize("at", range(5))
def test_the_receiver_in_python(at: int) -> None:
    names: dict[str, Any] = {}
    exec(code("python"), names)
    expected, headers, body = cases()[at]
    assert names["is_ours"](SECRET, headers, body) is expected
    assert names["is_ours"](new_secret(bytes), headers, body) is False


def test_the_receiver_in_node() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine")
    asked = [[headers, body.decode()] for _, headers, body in cases()]
    script = (
        code("js")
        + f"const asked = {json.dumps(asked)}\n"
        + f"console.log(JSON.stringify(asked.map(([h, b]) => isOurs({json.dumps(SECRET)}, h, Buffer.from(b)))))"
    )
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [expected for expected, _, _ in cases()]


def test_every_kind_and_every_number() -> None:
    units = ((3600, "h"), (60, "min"), (1, "s"))
    waits = ", ".join(
        next(f"{wait // size} {unit}" for size, unit in units if wait % size == 0) for wait in retries.SCHEDULE_S
    )
    assert f"**{waits}**" in PAGE.replace("\n", " ")
    assert f"{len(retries.SCHEDULE_S) + 1} in about {round(sum(retries.SCHEDULE_S) / 3600)} hours" in PAGE
    assert all(f"`{kind}`" in PAGE for kind in KINDS)
    numbers = [
        f"within {outbox.REQUEST_S} s",
        f"{outbox.N_AT_ONCE} webhooks",
        f"for {outbox.TURN_S} seconds",
        f"up to {outbox.BATCH_SIGNALS} signals",
        f"{outbox.ANSWER_BYTES // 1024} KB",
        f"{outbox.SHOWN_CHARACTERS} characters",
        f"{retries.MAX_REST_S // 60} minutes",
        f"{retries.REFUSED_REST_S} seconds if",
    ]
    assert [number for number in numbers if number not in PAGE] == []

"""A browser that walks through the console and notes whatever goes wrong on the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from console.running import Running
from truenorth.console.door import COOKIE
from truenorth.store.rows import Role

WIDE, NARROW = (1440, 900), (390, 844)
SETTLED_MS = 300
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
SERIOUS = {"serious", "critical"}
SCREENSHOTS = os.environ.get("TRUENORTH_SCREENSHOTS")
"""A folder for pictures of all pages; without it there are none."""


class Walk:
    """One tab.

    ``confirms``: whether it says yes when it is asked. ``faults``: errors on the browser's console, failed requests,
    dialogs, and requests to other hosts.
    """

    def __init__(self, console: Running, context: Any) -> None:
        self.console = console
        self.page = context.new_page()
        self.faults: list[str] = []
        self.confirms = False
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._asked)
        self.page.on(
            "response", lambda answer: answer.status >= 400 and self.faults.append(f"{answer.status} {answer.url}")
        )

    def open(self, address: str) -> None:
        """Open a page and wait until it is drawn and connected."""
        self.page.goto(self.console.address + address)
        self.page.wait_for_selector("h1")
        self.page.wait_for_function("window.socket?.connected")
        self.page.wait_for_timeout(SETTLED_MS)

    def violations(self) -> list[str]:
        """What axe finds that is serious, each with the first element that it is about."""
        self.page.evaluate(AXE)
        found = self.page.evaluate("axe.run().then((results) => results.violations)")
        return [
            f"{one['id']}: {one['help']} at {one['nodes'][0]['html'][:300]} ({len(one['nodes'])} of them)"
            for one in found
            if one["impact"] in SERIOUS
        ]

    def overflow_px(self) -> int:
        """How much wider than the window the page is: nobody should have to scroll sideways."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def picture(self, name: str) -> None:
        """Keep a picture, if anybody wants them."""
        if SCREENSHOTS:
            Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(SCREENSHOTS) / f"{name}.png"), full_page=True)

    def _said(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"{message.type}: {message.text}")

    def _dialog(self, dialog: Any) -> None:
        if self.confirms and dialog.type == "confirm":
            dialog.accept()
            return
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(
            (self.console.address, self.console.address.replace("http", "ws"), "data:", "blob:")
        ):
            self.faults.append(f"asked another host: {request.url}")


@contextmanager
def walking(
    browser: Any,
    console: Running,
    role: Role | None,
    size: tuple[int, int] = WIDE,
    scheme: str = "light",
    **options: Any,
) -> Iterator[Walk]:
    """A tab of somebody who has signed in; zone and shade are known already, as from the second page on."""
    given = {"locale": "en-GB", "timezone_id": "Europe/Rome", **options}
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, **given)
    cookies = {"truenorth_zone": given["timezone_id"], "truenorth_shade": scheme}
    if role is not None:
        cookies[COOKIE] = console.session(role)
    context.add_cookies([{"name": name, "value": value, "url": console.address} for name, value in cookies.items()])
    try:
        yield Walk(console, context)
    finally:
        context.close()

"""What the live service says when it has started."""

from __future__ import annotations

from truenorth.printing.terminal import err
from truenorth.server.service import Settings
from truenorth.spec.counted import counted
from truenorth.wiring.service import Service


def started(service: Service, address: str, settings: Settings) -> None:
    """Where it listens, what it judges, and the secrets that were made for it."""
    err.print(f"serving at {address}  (Ctrl-C stops)")
    names = ", ".join(service.journeys) or "none yet: --journeys DIR, or PUT /api/v1/journeys/NAME"
    err.print(f"{counted(len(service.journeys), 'journey')}: {names}")
    if settings.is_open:
        err.print("open: whoever is on this machine needs no token")
    if service.write_key:
        err.print(f"write key for clients, shown this once: {service.write_key}", soft_wrap=True)
    if service.admin_token:
        err.print(f"token of the first administrator, shown this once: {service.admin_token}", soft_wrap=True)
    if service.first_link:
        link = f"{address}{service.first_link}"
        err.print(f"link that makes the first administrator's account, once, within a day: {link}", soft_wrap=True)
    if service.has_console:
        err.print(f"pages for people: {address}/")
    err.print(f"what can be asked: {address}/api/docs")

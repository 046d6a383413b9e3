"""The last days, as filters offer them."""

from __future__ import annotations

from typing import Literal

Days = Literal["7", "28", "90", "365"]

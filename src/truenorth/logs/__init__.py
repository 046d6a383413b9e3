"""Reading and writing event logs, one file per format."""

from truenorth.logs.kinds import schema_kinds
from truenorth.logs.log import Log, Progress
from truenorth.logs.open import peek, read_log
from truenorth.logs.write import write_events, write_quarantine

__all__ = ["Log", "Progress", "peek", "read_log", "schema_kinds", "write_events", "write_quarantine"]

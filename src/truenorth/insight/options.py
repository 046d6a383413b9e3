"""What subjects of insight may be asked, in words: the same on every way to them."""

from __future__ import annotations

from collections.abc import Mapping

OPTIONS: Mapping[str, str] = {
    "as_of": "the day by which reviews are old; the last of the log if not given",
    "seed": "of what is sampled and split at random",
    "exclude": "columns that are not known when a case opens, although its first event has them",
    "of": "campaign, channel, customer ... or 'broken promise'; whatever the log has if not given",
    "measure": "what is added up for each of them",
    "top": "so many of the largest together",
    "answer": "what people say to questions that data cannot answer, such as may_act_at_once=no",
    "file": "a YAML file with what the subject is about",
}
"""What may be asked beside a journey and the time in which its cases opened, in words."""

"""The slow oracle: what a journey means, written straight from section 3 of the reference.

It shares no line with the product and prefers clarity to speed. Read `stepping.py` beside the page.

>>> verdicts = evaluate(
...     {"truenorth": 1, "journey": "tea", "outcome": {"achieved": "type = 'served'"}},
...     [
...         {"id": "1", "time": 0, "case": "a", "type": "asked"},
...         {"id": "2", "time": 9, "case": "a", "type": "served"},
...     ],
...     columns={"id", "time", "case", "type"},
... )
>>> verdicts.cases[0]["outcome"], verdicts.cases[0]["outcome_time"]
('achieved', 9)
"""

from oracle.evaluate import Verdicts, evaluate

__all__ = ["Verdicts", "evaluate"]

"""A living company with known truth.

>>> from truenorth.simulate import Company, World
>>> lived = World(Company(n_customers=200, days=10), seed=7).run()
>>> lived.events().columns[:5]
['source', 'id', 'type', 'time', 'customer']
"""

from truenorth.simulate.company import Company, Drift
from truenorth.simulate.lived import Lived
from truenorth.simulate.model import ACTIONS
from truenorth.simulate.policies import Choices, Constant, Moments, Oracle, Policy, Random
from truenorth.simulate.truth import Truth
from truenorth.simulate.world import Effect, PolicyValue, World

__all__ = [
    "ACTIONS",
    "Choices",
    "Company",
    "Constant",
    "Drift",
    "Effect",
    "Lived",
    "Moments",
    "Oracle",
    "Policy",
    "PolicyValue",
    "Random",
    "Truth",
    "World",
]

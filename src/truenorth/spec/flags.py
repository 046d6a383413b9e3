"""The flags that a journey's own conditions define: `moment`, `decision` and `internal`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from truenorth.spec.expressions import Condition, Field, Literal, Node, Not, Or, children, with_children
from truenorth.spec.model import Decision
from truenorth.spec.tokens import ConditionError

MAX_EXPANDED_NODES = 20_000
"""Largest condition once its flags are replaced by what they stand for."""


def define_flags(moments: Condition | None, decisions: Sequence[Decision]) -> dict[str, Node]:
    """What `moment`, `decision` and `internal` stand for, each free of the other two.

    ConditionError where they stand for each other in a circle, or grow too large.

    >>> define_flags(Condition("handover", Field("handover")), ())["internal"]
    Not(operand=Or(parts=(Field(name='handover'), Literal(value=False))))
    """
    rules = tuple(decision.when.tree for decision in decisions)
    raw: dict[str, Node] = {
        "moment": moments.tree if moments else Literal(False),
        "decision": rules[0] if len(rules) == 1 else Or(rules) if rules else Literal(False),
        "internal": Not(Or((Field("moment"), Field("decision")))),
    }
    defined: dict[str, Node] = {}
    for name in _order(raw):
        defined[name] = expand_flags(raw[name], defined)
    return {name: defined[name] for name in raw}


def expand_flags(tree: Node, definitions: Mapping[str, Node]) -> Node:
    """The tree with every flag in ``definitions`` replaced; `handover` stays, since only the engine knows it.

    >>> expand_flags(Not(Field("moment")), {"moment": Literal(False)})
    Not(operand=Literal(value=False))
    """
    sizes = {name: count_nodes(definition) for name, definition in definitions.items()}
    if count_nodes(tree, sizes) > MAX_EXPANDED_NODES:
        raise ConditionError("a smaller condition", "one that grows too large once its flags are written out")
    return _expanded(tree, definitions)


def _expanded(tree: Node, definitions: Mapping[str, Node]) -> Node:
    if isinstance(tree, Field):
        return definitions.get(tree.name, tree)
    parts = children(tree)
    return with_children(tree, [_expanded(part, definitions) for part in parts]) if parts else tree


def count_nodes(tree: Node, sizes: Mapping[str, int] | None = None) -> int:
    """Number of nodes, with fields counted as large as what they stand for.

    >>> count_nodes(Not(Field("moment"))), count_nodes(Not(Field("moment")), {"moment": 10})
    (2, 11)
    """
    n_nodes, pending = 0, [tree]
    while pending:
        node = pending.pop()
        n_nodes += (sizes or {}).get(node.name, 1) if isinstance(node, Field) else 1
        pending.extend(children(node))
    return n_nodes


def _order(raw: Mapping[str, Node]) -> list[str]:
    """The flags in an order in which each uses only earlier ones."""
    uses = {name: _flags_in(tree) & raw.keys() for name, tree in raw.items()}
    order: list[str] = []
    while len(order) < len(raw):
        ready = [name for name in raw if name not in order and uses[name] <= set(order)]
        if not ready:
            circle = [name for name in raw if name not in order]
            raise ConditionError(
                "flags that do not stand for each other in a circle",
                " and ".join(circle),
                "let moments and decisions use at most one of the two, and not internal",
            )
        order += ready
    return order


def _flags_in(tree: Node) -> set[str]:
    names, pending = set(), [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Field):
            names.add(node.name)
        pending.extend(children(node))
    return names

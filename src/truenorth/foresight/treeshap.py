"""What each column adds to the scores of boosted trees: exact Shapley values, several times faster than LightGBM's own.

Path-dependent TreeSHAP (Lundberg et al. 2020, Nature Machine Intelligence 2:56): a tree is asked with some columns
known; where a split is on another, both sides count by how many of the rows learnt from went there. Let the path to a
leaf of value v split on m columns. Column k lets a row through where it is known: o_k = 1 or 0; and where it is not:
z_k, the share of the rows learnt from that went along. The weights of Shapley are integrals: s! (m - 1 - s)! / m! =
int t^s (1 - t)^(m - 1 - s) dt on [0, 1]. So the sum over all sets of other columns is, for column j,

    v (o_j - z_j) int prod over k != j of (o_k t + z_k (1 - t)) dt

of a polynomial of degree m - 1: the rule of Gauss and Legendre with ceil(m / 2) points is exact, and as all its terms
are positive nothing cancels.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]

TOGETHER = 512
"""So many rows are walked through a tree together."""
ROWS_A_SET = 4
"""What a leaf adds is reckoned by set of columns, not by row, where there are so many rows for each set."""
CATEGORY, DEFAULT_LEFT = 1, 2
"""Bits of LightGBM's ``decision_type``; above them is what counts as missing: 0 nothing, `ZERO`, 2 NaN."""
ZERO = 1
LEAST = 1e-35
"""LightGBM takes smaller numbers for zero."""
NO_SPLIT = "\nTree=0\nleaf_value=0\n\n"
"""A tree as LightGBM writes it."""


class Trees(NamedTuple):
    """Trees as LightGBM writes them, all nodes of all trees one after the other; ``roots`` (n_trees,).

    Nodes: the ``column`` they split on (-1 = a leaf), the ``threshold`` (of a leaf: its value), the ``kind`` of the
    split, the nodes to the ``left`` and the ``right``, how many of the rows learnt from came there. The threshold of a
    split by category is a number n: categories whose bits are set in ``sets[starts[n]:starts[n + 1]]`` go left.
    """

    roots: I64
    column: I64
    threshold: F64
    kind: I64
    left: I64
    right: I64
    n_came: F64
    starts: I64
    sets: U32
    depth: int


def trees_of(text: str) -> Trees:
    """Trees from LightGBM's own text."""
    written = [_fields(part) for part in text.split("\nTree=")[1:]]
    sizes = [2 * len(tree["leaf_value"]) - 1 for tree in written]
    roots = np.cumsum([0, *sizes])
    n_sets = np.cumsum([0, *(len(tree["cat_boundaries"][1:]) for tree in written)])
    n_bits = np.cumsum([0, *(len(tree["cat_threshold"]) for tree in written)])
    parts = [_nodes(tree, root, before) for tree, root, before in zip(written, roots, n_sets, strict=False)]
    column, threshold, kind, left, right, n_came = (np.concatenate(values) for values in zip(*parts, strict=True))
    starts = [tree["cat_boundaries"][1:] + before for tree, before in zip(written, n_bits, strict=False)]
    return Trees(
        roots=roots[:-1],
        column=column.astype(np.int64),
        threshold=threshold,
        kind=kind.astype(np.int64),
        left=left.astype(np.int64),
        right=right.astype(np.int64),
        n_came=n_came,
        starts=np.concatenate([[0], *starts]).astype(np.int64),
        sets=np.concatenate([tree["cat_threshold"] for tree in written]).astype(np.uint32),
        depth=_depth(left.astype(np.int64), right.astype(np.int64)),
    )


def _fields(part: str) -> dict[str, F64]:
    """The lines of one tree; a tree without splits, or without any by category, lacks those of these."""
    lines = (line.partition("=") for line in part.partition("\n\n")[0].splitlines())
    found = {name: np.array(value.split(), np.float64) for name, is_given, value in lines if is_given}
    absent = ("split_feature", "threshold", "decision_type", "left_child", "right_child", "internal_count")
    return dict.fromkeys((*absent, "leaf_count", "cat_boundaries", "cat_threshold"), np.zeros(0)) | found


def _nodes(tree: dict[str, F64], root: int, n_sets: int) -> tuple[F64, ...]:
    """One tree's nodes by field of `Trees`: its splits, of which the first is the root, then its leaves."""
    n_splits, n_leaves = len(tree["threshold"]), len(tree["leaf_value"])
    of_none = np.full(n_leaves, -1.0)
    by_category = tree["decision_type"].astype(np.int64) & CATEGORY == 1
    children = [  # LightGBM counts leaves -1, -2, ...
        np.append(root + np.where(child < 0, n_splits - 1 - child, child), of_none)
        for child in (tree["left_child"], tree["right_child"])
    ]
    counted = tree["leaf_count"] if n_splits else np.ones(1)
    return (
        np.append(tree["split_feature"], of_none),
        np.append(tree["threshold"] + np.where(by_category, n_sets, 0.0), tree["leaf_value"]),
        np.append(tree["decision_type"], of_none),
        *children,
        np.append(tree["internal_count"], counted),
    )


def _depth(left: I64, right: I64) -> int:
    """Of the deepest tree; children are not always behind their parents, so level by level."""
    level, depth = np.setdiff1d(np.arange(len(left)), np.append(left, right)), -1
    while len(level):
        below = np.append(left[level], right[level])
        level, depth = below[below >= 0], depth + 1
    return depth


def added(trees: Trees, x: F32, n_scores: int) -> F64:
    """What each column of rows (n, n_columns) adds to each score, to which trees add in turn.

    The answer is (n, n_scores, n_columns).
    """
    out = np.zeros((len(x), n_scores, x.shape[1]))
    _walk(trees, np.ascontiguousarray(x, np.float32), _rules(trees.depth // 2 + 1), out)
    return out


def compile_ahead() -> None:
    """Compile for this machine now, once for an installation: else it takes seconds of whoever asks first."""
    added(trees_of(NO_SPLIT), np.zeros((1, 1), np.float32), 1)


@cache
def _rules(most: int) -> F64:
    """Gauss and Legendre's rules on [0, 1], of n <= ``most`` points in row n: points and weights."""
    rules = np.zeros((2, most + 1, most))
    for n in range(1, most + 1):
        points, weights = np.polynomial.legendre.leggauss(n)
        rules[:, n, :n] = (points + 1.0) / 2.0, weights / 2.0
    return rules


_fast = njit(cache=True, nogil=True, error_model="numpy")


@_fast
def _walk(trees: Trees, x: F32, rules: F64, out: F64) -> None:
    """Depth first. Of the path so far, by depth: its columns, their shares, and per row the set of those it goes along.

    A set of columns is a number: its k-th bit is that of the k-th column of the path, and bits of none are set. Arrays
    are handed on one by one: each that a tuple has would be counted in and out at every node.
    """
    roots, column, threshold, kind, left, right, n_came, starts, sets, deepest = trees
    n_scores, n_columns = out.shape[1:]
    deep = deepest + 2
    waiting, above, depths = np.zeros(deep, np.int64), np.zeros(deep, np.int64), np.zeros(deep, np.int64)
    columns, shares, n_on_path = np.zeros((deep, deep), np.int64), np.zeros((deep, deep)), np.zeros(deep, np.int64)
    by_set = np.zeros((TOGETHER, deep))
    for first in range(0, len(x), TOGETHER):
        rows = x[first : first + TOGETHER].T.copy()
        along = np.full((deep, rows.shape[1]), -1, np.int64)
        sums = np.zeros((n_scores, n_columns, rows.shape[1]))
        for number in range(len(roots)):
            waiting[0], above[0], depths[0], n_waiting = roots[number], -1, 0, 1
            while n_waiting:
                n_waiting -= 1
                node, split, depth = waiting[n_waiting], above[n_waiting], depths[n_waiting]
                if split >= 0:
                    share = n_came[node] / n_came[split]
                    bit = 1 << _extend(columns, shares, n_on_path, depth, column[split], share)
                    of = int(threshold[split]) if kind[split] & CATEGORY else 0
                    among, values = sets[starts[of] : starts[of + 1]], rows[column[split]]
                    is_left, before, after = node == left[split], along[depth - 1], along[depth]
                    _go(kind[split], threshold[split], among, values, is_left, before, after, bit)
                if column[node] < 0:
                    n, score = n_on_path[depth], number % n_scores
                    _add(threshold[node], columns[depth, :n], shares[depth], along[depth], rules, by_set, sums[score])
                    continue
                for child in (left[node], right[node]):
                    waiting[n_waiting], above[n_waiting], depths[n_waiting] = child, node, depth + 1
                    n_waiting += 1
        for i in range(rows.shape[1]):
            out[first + i] = sums[:, :, i]


@_fast
def _extend(columns: I64, shares: F64, n_on_path: I64, depth: int, column: int, share: float) -> int:
    """The path one deeper, by a split on a column behind which a ``share`` of the rows went on: the column's place."""
    n = int(n_on_path[depth - 1])
    at = n
    for k in range(n):
        columns[depth, k], shares[depth, k] = columns[depth - 1, k], shares[depth - 1, k]
        if columns[depth, k] == column:
            at = k
    if at == n:
        columns[depth, n], shares[depth, n] = column, 1.0
        n += 1
    shares[depth, at] *= share
    n_on_path[depth] = n
    return at


@_fast
def _go(kind: int, threshold: float, among: U32, values: F32, is_left: bool, before: I64, after: I64, bit: int) -> None:
    """The sets of columns that rows go along at, behind one side of a split on the column of a ``bit``.

    Sides are as in LightGBM's tree.h, Tree::NumericalDecision and Tree::CategoricalDecision.
    """
    missing, default_left = kind >> 2, kind & DEFAULT_LEFT != 0
    unknown_left = default_left if missing else threshold >= 0.0
    for i in range(len(values)):
        value = values[i]
        if kind & CATEGORY:
            category = int(value) if value >= 0.0 else 32 * len(among)
            goes_left = category < 32 * len(among) and among[category // 32] >> np.uint32(category % 32) & 1 == 1
        elif missing == ZERO and abs(value) <= LEAST:
            goes_left = default_left
        else:
            goes_left = unknown_left if np.isnan(value) else value <= threshold
        after[i] = before[i] if goes_left == is_left else before[i] & ~bit


@_fast
def _add(value: float, columns: I64, shares: F64, along: I64, rules: F64, by_set: F64, sums: F64) -> None:
    """What a leaf adds to ``sums`` (n_columns, n) of rows that go along at sets (n,) of its path's ``columns``."""
    n_sets = 1 << len(columns)
    if n_sets * ROWS_A_SET > len(along):
        for i in range(len(along)):
            _shapley(value, len(columns), shares, along[i], rules, by_set[0])
            for k in range(len(columns)):
                sums[columns[k], i] += by_set[0, k]
        return
    for number in range(n_sets):
        _shapley(value, len(columns), shares, number, rules, by_set[number])
    for k in range(len(columns)):
        column = columns[k]
        for i in range(len(along)):
            sums[column, i] += by_set[along[i] & (n_sets - 1), k]


@_fast
def _shapley(value: float, n: int, shares: F64, along: int, rules: F64, out: F64) -> None:
    """The formula of the module's docstring for the n columns of a path, of a row that goes ``along`` at some."""
    out[:n] = 0.0
    half = (n + 1) // 2
    for q in range(half):
        t = rules[0, half, q]
        product = value * rules[1, half, q]
        for k in range(n):
            product *= (along >> k & 1) * t + shares[k] * (1.0 - t)
        for k in range(n):
            goes = along >> k & 1
            out[k] += product * (goes - shares[k]) / (goes * t + shares[k] * (1.0 - t))

"""Curves of a journey map's edges, and free places for their labels. Pixels; y grows downwards."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

SAMPLES = 15
PLACES = 13
"""About so many places along a curve are tried for its label."""

RADIUS = 15.0
"""Half the width of a node's symbol."""


def bezier(p0: Point, p1: Point, p2: Point, p3: Point, samples: int = SAMPLES) -> list[Point]:
    """Points along a cubic Bezier curve, both ends included.

    >>> bezier((0, 0), (1, 0), (2, 0), (3, 0), 3)
    [(0.0, 0.0), (1.5, 0.0), (3.0, 0.0)]
    """
    points = []
    for i in range(samples):
        t = i / (samples - 1)
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        x, y = (sum(w * p[axis] for w, p in zip(weights, (p0, p1, p2, p3), strict=True)) for axis in (0, 1))
        points.append((round(x, 1), round(y, 1)))
    return points


def through(points: Sequence[Point], samples: int = SAMPLES) -> list[Point]:
    """A smooth curve through points that never swings beyond them, level at both ends.

    Slopes as in F. N. Fritsch and J. Butland (1984), "A method for constructing local monotone piecewise cubic
    interpolants", SIAM J. Sci. Stat. Comput. 5, 300-304: the harmonic mean of those on either side, 0 at a turn.
    """
    steps = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(points)]
    inner = [2 * one * two / (one + two) if one * two > 0 else 0.0 for one, two in pairwise(steps)]
    slopes = [0.0, *inner, 0.0]
    curve = [points[0]]
    for i, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        pull = 0.5 * (x1 - x0) if len(points) == 2 else (x1 - x0) / 3
        flat = abs(y0 - y1) < 1
        controls = (x0 + pull, y0 + pull * slopes[i]), (x1 - pull, y1 - pull * slopes[i + 1])
        curve += [(x1, y1)] if flat else bezier((x0, y0), *controls, (x1, y1), samples)[1:]
    return curve


def edge_curve(source: Point, target: Point, passages: Sequence[Point], samples: int = SAMPLES) -> list[Point]:
    """The curve of an edge from node to node: ahead, back (entering at the right), in its own layer, or to itself."""
    (x0, y0), (x1, y1) = source, target
    if source == target:
        top = y0 - RADIUS
        return bezier((x0 - 7, top), (x0 - 28, top - 30), (x0 + 28, top - 30), (x0 + 7, top - 2))
    if x1 > x0:
        return through([(x0 + RADIUS, y0), *passages, (x1 - RADIUS - 2, y1)], samples)
    if x1 == x0:
        start, end = (x0 + RADIUS, y0), (x1 + RADIUS + 2, y1)
        return bezier(start, (x0 + 58, y0), (x1 + 58, y1), end)
    start, end = (x0 - RADIUS + 2, y0 - 8), (x1 + RADIUS, y1 - 8)
    if passages:
        return through([start, *passages, end], samples)
    third = (x0 - x1) / 3
    return bezier(start, (x0 - third, y0 - 34), (x1 + third, y1 - 34), end, samples)


def dotted(curve: Sequence[Point], apart: float = 12.0) -> list[Point]:
    """The points of a curve with more between those that are far from each other.

    >>> dotted([(0.0, 0.0), (30.0, 0.0)], 15)
    [(0.0, 0.0), (15.0, 0.0), (30.0, 0.0)]
    """
    dots = [curve[0]]
    for (x0, y0), (x1, y1) in pairwise(curve):
        n = max(int(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 / apart), 1)
        dots += [(x0 + (x1 - x0) * i / n, y0 + (y1 - y0) * i / n) for i in range(1, n + 1)]
    return dots


def free_place(
    curve: Sequence[Point], width: float, height: float, taken: Sequence[Box], dots: NDArray[np.float64], bounds: Box
) -> Point | None:
    """The middle of a box beside the curve that covers none of the boxes taken and as few ``dots`` (n x 2) as can be.

    Among equals the nearest to the middle of the curve is chosen; None if there is no room.

    >>> free_place([(0, 0), (50, 0), (100, 0)], 10, 4, [], np.empty((0, 2)), (0, -50, 100, 50))
    (50.0, -8.0)
    """
    best, fewest = None, len(dots) + 1
    tried = range(0, len(curve), max(len(curve) // PLACES, 1))
    for index in sorted(tried, key=lambda index: abs(index - (len(curve) - 1) / 2)):
        near, far, side = height / 2 + 6, height / 2 + RADIUS + 2, width / 2 + 8
        for dx, dy in ((0.0, -near), (side, 0.0), (-side, 0.0), (0.0, near), (0.0, -far), (0.0, far)):
            x, y = curve[index][0] + dx, curve[index][1] + dy
            box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            inside = bounds[0] <= box[0] and box[2] <= bounds[2] and bounds[1] <= box[1] and box[3] <= bounds[3]
            if not inside or any(overlaps(box, other) for other in taken):
                continue
            within = (dots[:, 0] >= box[0]) & (dots[:, 0] <= box[2]) & (dots[:, 1] >= box[1]) & (dots[:, 1] <= box[3])
            covered = int(np.count_nonzero(within))
            if covered < fewest:
                best, fewest = (x, y), covered
            if not covered:
                return best
    return best


def overlaps(one: Box, other: Box) -> bool:
    """Whether two boxes share an area.

    >>> overlaps((0, 0, 2, 2), (1, 1, 3, 3)), overlaps((0, 0, 2, 2), (2, 0, 3, 3))
    (True, False)
    """
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]

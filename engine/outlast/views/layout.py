"""Where everything in a picture stands, and how good that is: overlaps and crossings, measured on rectangles and polylines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, combinations, product
from typing import TypeAlias

from outlast.values import frozen
from outlast.views.graph import Graph
from outlast.views.typeset import Sizes

Point: TypeAlias = tuple[float, float]
Line: TypeAlias = tuple[Point, ...]


@frozen
class Rect:
    """A rectangle; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Rect) -> bool:
        """Whether they have an area in common, beyond a rounding."""
        return (
            self.left + 0.5 < other.right
            and other.left + 0.5 < self.right
            and self.top + 0.5 < other.bottom
            and other.top + 0.5 < self.bottom
        )

    def holds(self, point: Point, margin: float = 0.0) -> bool:
        """Whether a point is inside, at least `margin` from the border."""
        x, y = point
        return self.left + margin < x < self.right - margin and self.top + margin < y < self.bottom - margin

    def contains(self, other: Rect) -> bool:
        """Whether all of the other is inside."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


@frozen
class Route:
    """A polyline from a box to a label, from a label to a box, or from box to box. `ends`: with an arrowhead at its end."""

    points: Line
    source: str
    target: str
    ends: bool = True


@frozen(eq=False)
class Layout:
    """A graph laid out. Rectangles of boxes and labels by name; the routes of every arrow."""

    width: float
    height: float
    boxes: Mapping[str, Rect]
    labels: Mapping[str, Rect]
    routes: Mapping[str, tuple[Route, ...]]
    sizes: Sizes


@frozen
class Quality:
    """What can be wrong with a picture, counted."""

    overlaps: int
    """Labels on labels, on boxes or across the border of a composite."""
    covered: int
    """Arrows through a label or a box they do not belong to."""
    crossings: int
    merged: int
    """Arrows that run on top of each other."""
    width: float
    height: float
    length: float

    def cost(self, limit: float) -> float:
        """One number to compare by; `limit` is the width that must not be passed."""
        return (
            10_000 * self.overlaps
            + 600 * self.covered
            + 100 * self.crossings
            + 60 * self.merged
            + 4 * max(0.0, self.width - limit)
            + (200 if self.width > limit else 0)
            + self.height / 10
            + self.length / 400
        )


def quality(graph: Graph, layout: Layout) -> Quality:
    """Count what is wrong with a layout."""
    leaves = {box.name: layout.boxes[box.name] for box in graph.boxes if not _is_frame(graph, box.name)}
    frames = [layout.boxes[box.name] for box in graph.boxes if _is_frame(graph, box.name)]
    solid = [*leaves.values(), *layout.labels.values()]
    overlaps = sum(one.meets(two) for one, two in combinations(solid, 2))
    overlaps += sum(frame.meets(item) and not frame.contains(item) for frame in frames for item in solid)
    covered = sum(1 for _ in _covering(layout, leaves))
    length = sum(abs(b[0] - a[0]) + abs(b[1] - a[1]) for _, a, b in _segments(layout))
    return Quality(overlaps, covered, crossings(layout), merged(layout), layout.width, layout.height, length)


def _is_frame(graph: Graph, name: str) -> bool:
    return any(box.parent == name for box in graph.boxes)


def _covering(layout: Layout, leaves: Mapping[str, Rect]) -> Iterator[str]:
    solid = (*leaves.items(), *layout.labels.items())
    for name, routes in layout.routes.items():
        for route in routes:
            own = (name, route.source, route.target)
            around = Rect(*map(min, zip(*route.points, strict=True)), *map(max, zip(*route.points, strict=True)))
            for other, rect in solid:
                if other in own or not _touch(around, rect):
                    continue
                if any(_enters(a, b, rect) for a, b in zip(route.points, route.points[1:], strict=False)):
                    yield name


def _touch(one: Rect, two: Rect) -> bool:
    return one.left < two.right and two.left < one.right and one.top < two.bottom and two.top < one.bottom


def _enters(a: Point, b: Point, rect: Rect) -> bool:
    """Whether a segment passes through a rectangle (Liang and Barsky), grazing the border not counted."""
    margin, low, high = 1.0, 0.0, 1.0
    box = (rect.left + margin, rect.top + margin, rect.right - margin, rect.bottom - margin)
    for start, step, least, most in ((a[0], b[0] - a[0], box[0], box[2]), (a[1], b[1] - a[1], box[1], box[3])):
        if abs(step) < 1e-9:
            if not least < start < most:
                return False
            continue
        one, two = sorted(((least - start) / step, (most - start) / step))
        low, high = max(low, one), min(high, two)
    return low < high


_Segment: TypeAlias = tuple[str, Point, Point]


def _segments(layout: Layout) -> Iterator[_Segment]:
    for name, routes in layout.routes.items():
        for route in routes:
            for a, b in zip(route.points, route.points[1:], strict=False):
                yield name, a, b


def crossings(layout: Layout) -> int:
    """How often two arrows cross; the ends of one arrow that run together do not count."""
    return len(_crossed(layout))


def _crossed(layout: Layout) -> set[tuple[str, str, int, int]]:
    found = set()
    level, other = list[_Segment](), list[_Segment]()
    for segment in _segments(layout):
        (level if abs(segment[1][1] - segment[2][1]) < 0.5 else other).append(segment)
    slanted = [segment for segment in other if abs(segment[1][0] - segment[2][0]) >= 0.5]
    for (one, a, b), (two, c, d) in chain(product(level, other), product(slanted, other)):
        if one != two and (point := _crossing(a, b, c, d)):
            first, second = sorted((one, two))
            found.add((first, second, round(point[0]), round(point[1])))
    return found


def merged(layout: Layout) -> int:
    """How many pairs of arrows share a stretch of line."""
    return len({(one, two) for one, two in _running_together(layout)})


def _running_together(layout: Layout) -> Iterator[tuple[str, str]]:
    for axis in (0, 1):
        along = 1 - axis
        lines = [segment for segment in _segments(layout) if abs(segment[1][axis] - segment[2][axis]) < 1.5]
        lines.sort(key=lambda segment: segment[1][axis])
        for index, (one, a, b) in enumerate(lines):
            for two, c, d in lines[index + 1 :]:
                if c[axis] - a[axis] >= 1.5:
                    break
                low = max(min(a[along], b[along]), min(c[along], d[along]))
                high = min(max(a[along], b[along]), max(c[along], d[along]))
                if one != two and high - low > 4:
                    yield one, two


def troubles(graph: Graph, layout: Layout) -> dict[str, int]:
    """Arrow -> how much of what is wrong it takes part in."""
    found = dict.fromkeys((arrow.name for arrow in graph.arrows), 0)
    for one, two, *_ in _crossed(layout):
        found[one] += 2
        found[two] += 2
    for one, two in set(_running_together(layout)):
        found[one] += 1
        found[two] += 1
    leaves = {box.name: layout.boxes[box.name] for box in graph.boxes if not _is_frame(graph, box.name)}
    for name in _covering(layout, leaves):
        found[name] += 6
    return found


def _crossing(a: Point, b: Point, c: Point, d: Point) -> Point | None:
    """Where two segments properly cross."""
    if max(a[0], b[0]) < min(c[0], d[0]) or max(c[0], d[0]) < min(a[0], b[0]):
        return None
    if max(a[1], b[1]) < min(c[1], d[1]) or max(c[1], d[1]) < min(a[1], b[1]):
        return None
    across = (b[0] - a[0]) * (d[1] - c[1]) - (b[1] - a[1]) * (d[0] - c[0])
    if abs(across) < 1e-9:
        return None
    t = ((c[0] - a[0]) * (d[1] - c[1]) - (c[1] - a[1]) * (d[0] - c[0])) / across
    u = ((c[0] - a[0]) * (b[1] - a[1]) - (c[1] - a[1]) * (b[0] - a[0])) / across
    if not (1e-6 < t < 1 - 1e-6 and 1e-6 < u < 1 - 1e-6):
        return None
    return a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])


def clipped(points: Line, frame: Rect) -> Line:
    """A polyline that starts in a box, from where it leaves that box for the last time."""
    for index in range(len(points) - 1, 0, -1):
        if frame.holds(points[index - 1], 0.2) and not frame.holds(points[index], 0.2):
            return (_exit(points[index - 1], points[index], frame), *points[index:])
    return points


def _exit(inner: Point, outer: Point, frame: Rect) -> Point:
    (x, y), (dx, dy) = inner, (outer[0] - inner[0], outer[1] - inner[1])
    times = []
    if abs(dx) > 1e-9:
        times.append(((frame.right if dx > 0 else frame.left) - x) / dx)
    if abs(dy) > 1e-9:
        times.append(((frame.bottom if dy > 0 else frame.top) - y) / dy)
    t = min((time for time in times if time >= 0), default=0.0)
    return x + t * dx, y + t * dy

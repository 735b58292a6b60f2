"""What a picture says about itself, read back from its SVG: boxes, labels, lines, words."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import attrs

SVG = "{http://www.w3.org/2000/svg}"
Rect = tuple[float, float, float, float]
Segment = tuple[tuple[float, float], tuple[float, float]]


@attrs.frozen
class Drawn:
    """An SVG, taken apart."""

    root: ET.Element

    @classmethod
    def read(cls, text: str) -> Drawn:
        """From the text of an SVG."""
        return cls(ET.fromstring(text))  # noqa: S314  # our own

    @property
    def width(self) -> float:
        """In pixels."""
        return float(self.root.attrib["width"])

    @property
    def words(self) -> str:
        """Everything written, without blanks: lines are broken anywhere."""
        return "".join("".join(text.itertext()) for text in self.root.iter(f"{SVG}text")).replace(" ", "")

    def named(self, attribute: str) -> set[str]:
        """The values of an attribute, wherever it stands."""
        return {item.attrib[attribute] for item in self.root.iter() if attribute in item.attrib}

    @property
    def titles(self) -> str:
        """Every tooltip."""
        return "\n".join(item.text or "" for item in self.root.iter(f"{SVG}title"))

    @property
    def labels(self) -> list[Rect]:
        """The boxes of labels."""
        return [_rect(item.attrib["data-box"]) for item in self.root.iter() if "data-box" in item.attrib]

    @property
    def boxes(self) -> list[Rect]:
        """The boxes of states that contain none."""
        groups = (item for item in self.root.iter(f"{SVG}g") if "data-state" in item.attrib)
        return [_of(group) for group in groups if "box" in group.attrib.get("class", "").split()]

    @property
    def frames(self) -> list[Rect]:
        """The boxes of states that contain others."""
        groups = (item for item in self.root.iter(f"{SVG}g") if "frame" in item.attrib.get("class", "").split())
        return [_of(group) for group in groups]

    @property
    def overlaps(self) -> int:
        """Labels and boxes on each other, or across the border of a frame."""
        solid = [*self.labels, *self.boxes]
        frames = sum(_meet(frame, item) and not _holds(frame, item) for frame in self.frames for item in solid)
        return frames + sum(_meet(one, two) for one, two in combinations(solid, 2))

    @property
    def lines(self) -> list[list[Segment]]:
        """For every arrow its straight pieces."""
        arrows = [item for item in self.root.iter(f"{SVG}g") if "data-from" in item.attrib]
        return [
            [segment for path in arrow.findall(f"{SVG}path[@class='way']") for segment in _segments(path.attrib["d"])]
            for arrow in arrows
        ]

    @property
    def crossings(self) -> int:
        """How often the lines of two arrows cross."""
        return sum(_cross(one, two) for first, second in combinations(self.lines, 2) for one in first for two in second)


def _rect(text: str) -> Rect:
    left, top, right, bottom = map(float, text.split())
    return left, top, right, bottom


def _of(group: ET.Element) -> Rect:
    box = group.find(f"{SVG}rect")
    assert box is not None
    x, y, width, height = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def _meet(one: Rect, two: Rect) -> bool:
    slack = 0.5
    return one[0] + slack < two[2] and two[0] + slack < one[2] and one[1] + slack < two[3] and two[1] + slack < one[3]


def _holds(one: Rect, two: Rect) -> bool:
    return one[0] <= two[0] and two[2] <= one[2] and one[1] <= two[1] and two[3] <= one[3]


def _segments(path: str) -> list[Segment]:
    """The straight pieces of a path, a rounded corner taken as its two tangents."""
    points = []
    for command, numbers in re.findall(r"([MLQ])([^MLQ]*)", path):
        pairs = [tuple(map(float, pair.split(","))) for pair in numbers.split()]
        points += [(pair[0], pair[1]) for pair in (pairs if command == "Q" else pairs[:1])]
    return list(pairwise(points))


def _cross(one: Segment, two: Segment) -> bool:
    def side(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    (a, b), (c, d) = one, two
    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0

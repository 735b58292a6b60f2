"""A picture of the gallery as the page uses it: without ids, since a page may show a machine twice, and without what the page has already.

That is style, title, legend, tooltips, links, the signs of roles and the names of rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from outlast.views.metrics import text_width
from outlast.views.typeset import BOLD, SIZES

_SVG = "{http://www.w3.org/2000/svg}"
_KEPT = {
    "svg": ("viewBox", "width", "height"),
    "g": ("class", "data-state", "data-row", "style"),
    "rect": ("class", "x", "y", "width", "height", "rx"),
    "text": ("class", "x", "y", "font-size", "font-weight", "text-anchor"),
    "tspan": ("class",),
    "path": ("class", "d", "transform"),
    "circle": ("class", "cx", "cy", "r"),
}
"""Element -> its attributes that are kept; anything else goes."""
_BORDER = 12.0
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_WHOLE = re.compile(r"(?<=\d)\.0(?!\d)")
_COMMAND = re.compile(r"([A-Za-z])([^A-Za-z]*)")


def slim(picture: str) -> str:
    """The SVG for the page; nothing when there is none, or none of ours."""
    try:
        root = ET.fromstring(picture)  # noqa: S314  # written by outlast.views.svg; entities of strangers fail to parse
    except ET.ParseError:
        return ""
    drawing = next((part for part in root if part.tag == f"{_SVG}g" and part.get("transform")), None)
    if drawing is None:
        return ""
    points = [point for part in drawing.iter() for point in _reach(part)]
    left, top = (min(point[axis] for point in points) - _BORDER for axis in (0, 1))
    width, height = (max(point[axis] for point in points) + _BORDER - (left, top)[axis] for axis in (0, 1))
    root.attrib.update(
        viewBox=f"{left:.0f} {top:.0f} {width:.0f} {height:.0f}", width=f"{width:.0f}", height=f"{height:.0f}"
    )
    for part in list(root):
        root.remove(part)
    root.extend(drawing)
    return _written(root, "")


def _reach(element: ET.Element) -> Iterator[tuple[float, float]]:
    """Points of a shape that lie farthest out; of a text, where it begins and ends."""
    if "x" in element.attrib:
        x, y = float(element.get("x", "0")), float(element.get("y", "0"))
        across = float(element.get("width", "0")) + sum(map(_width, element.iter(f"{_SVG}tspan")))
        yield from ((x, y), (x + across, y + float(element.get("height", "0"))))
    elif "cx" in element.attrib:
        yield float(element.get("cx", "0")), float(element.get("cy", "0"))
    elif element.get("class") in ("way", "tip"):
        numbers = [float(number) for number in _NUMBER.findall(element.get("d", "").replace("H", "").replace("V", ""))]
        yield from zip(numbers[::2], numbers[1::2], strict=True)


def _width(span: ET.Element) -> float:
    size, style = next(((size, style) for style, size in SIZES.items() if style == span.get("class")), (11.0, ""))
    return text_width(span.text or "", size, bold=style in BOLD, mono=style == "id")


def _written(element: ET.Element, row: str) -> str:
    """Plain SVG as HTML takes it: no namespaces, what is kept only. `row` is the id of the row it stands in."""
    name, given = element.tag.removeprefix(_SVG), dict(element.attrib)
    row = given.get("data-row", row)
    kept = (child for child in element if child.tag != f"{_SVG}title")
    inside = _spoken(element.text) + "".join(_written(child, row) + _spoken(child.tail) for child in kept)
    if name not in _KEPT:  # a link: only what is in it
        return inside
    if name == "text" and len(element) == 1 and "class" not in given:
        name, given = "text", given | {"class": element[0].get("class", "")}
        inside = _spoken(element[0].text)
    if given.get("class") == "id" and (element.text or element[0].text or "").strip() == row:
        inside = ""
    if given.get("class", "").startswith("glyph"):
        del given["d"]
    if given.get("class") in ("row", "way"):  # known by where they stand
        del given["class"]
    if given.get("rx") in ("9", "12"):
        del given["rx"]
    if name == "text":
        given |= {axis: f"{float(given[axis]):.0f}" for axis in ("x", "y")}
    attributes = "".join(f' {key}="{_escaped(_short(key, given[key]))}"' for key in _KEPT[name] if given.get(key))
    return f"<{name}{attributes}>{inside}</{name}>" if inside else f"<{name}{attributes}/>"


def _short(key: str, value: str) -> str:
    """A number without `.0`; a path with lines straight across or down written as such, and short ones by their length."""
    value = _WHOLE.sub("", value)
    if key != "d":
        return value
    x, y, written = "", "", []
    for command, points in _COMMAND.findall(value):
        to_x, _, to_y = points.split()[-1].partition(",") if points.strip() else ("", "", "")
        if (
            command == "L"
            and x
            and abs(float(to_x) - float(x)) < 9
            and abs(float(to_y) - float(y)) < 9
            and to_x != x
            and to_y != y
        ):
            written.append(_WHOLE.sub("", f"l{float(to_x) - float(x):.1f},{float(to_y) - float(y):.1f}"))
        elif command == "L" and to_x == x:
            written.append(f"V{to_y}")
        elif command == "L" and to_y == y:
            written.append(f"H{to_x}")
        else:
            written.append(command + points.strip())
        x, y = (to_x, to_y) if command in "MLQ" else ("", "")
    return "".join(written)


def _spoken(text: str | None) -> str:
    return _escaped(text) if text and text.strip() else ""


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")

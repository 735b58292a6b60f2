"""SCXML text -> elements that know their place. No DTD, no entities of the document's own, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

import attrs

from outlast.errors import Problem, SpecError
from outlast.place import Place

SCXML = "http://www.w3.org/2005/07/scxml"
CONF = "http://www.w3.org/2005/scxml-conformance"
OURS = "urn:outlast"
"""Our own words inside an SCXML document: what SCXML leaves to the platform (types of data, effects)."""


@attrs.define(eq=False)
class Element:
    """One element: its namespace and name, attributes by (namespace, name), children, and all text directly inside."""

    space: str
    name: str
    attributes: dict[tuple[str, str], str]
    place: Place
    children: list[Element] = attrs.field(factory=list)
    text: str = ""

    def get(self, name: str, space: str = "") -> str | None:
        """An attribute, or None."""
        return self.attributes.get((space, name))

    def all(self, *names: str) -> list[Element]:
        """The SCXML children of these names, in document order."""
        return [child for child in self.children if child.space == SCXML and child.name in names]

    def one(self, name: str) -> Element | None:
        """The first SCXML child of that name."""
        return next(iter(self.all(name)), None)

    def below(self) -> Iterator[Element]:
        """Every element below, in document order, without what belongs to a nested document."""
        for child in self.children:
            yield child
            if (child.space, child.name) != (SCXML, "scxml"):
                yield from child.below()

    def markup(self) -> str:
        """The element as text: enough to tell one from another."""
        said = "".join(f' {name}="{value}"' for (_, name), value in self.attributes.items())
        inside = self.text.strip() + "".join(child.markup() for child in self.children)
        return f"<{self.name}{said}>{inside}</{self.name}>"


def problem(code: str, text: str, place: Place | None, hint: str | None = None) -> SpecError:
    """One problem, to be raised."""
    return SpecError([Problem(f"scxml-{code}", text, place, hint)])


def parse(data: bytes | str, file: str) -> Element:
    """The root element. Raises SpecError."""
    parser = expat.ParserCreate(namespace_separator=" ")
    stack: list[Element] = []
    roots: list[Element] = []

    def here() -> Place:
        return Place(file, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)

    def split(name: str) -> tuple[str, str]:
        space, _, local = name.rpartition(" ")
        return space, local

    def start(name: str, found: dict[str, str]) -> None:
        element = Element(*split(name), {split(key): value for key, value in found.items()}, here())
        (stack[-1].children if stack else roots).append(element)
        stack.append(element)

    def end(_: str) -> None:
        stack.pop()

    def text(data: str) -> None:
        stack[-1].text += data

    def doctype(*_: object) -> None:
        raise problem("doctype", "a document type declaration has no place in SCXML", here())

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise problem("xml", expat.ErrorString(error.code), Place(file, error.lineno, error.offset + 1)) from error
    root = roots[0]
    if (root.space, root.name) != (SCXML, "scxml"):
        raise problem("root", f"expected the element `scxml` of {SCXML}, found `{root.name}`", root.place)
    return root

"""Strict YAML: text -> a tree of nodes that all know their place, with the comments beside it.

Built over PyYAML's event stream. Refused are whatever can surprise (duplicate keys, anchors, aliases, tags, several documents)
and whatever can hurt (size, depth). Scalars follow the core schema of YAML 1.2: `yes`, `on` and `1:30` are words, `010` is ten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias, cast

import attrs
import yaml

from outlast.language.source import Source
from outlast.language.syntax import report_yaml_error
from outlast.place import Place
from outlast.values import frozen

DEEPEST = 64
"""Mappings and lists may nest so deep."""

Kind: TypeAlias = Literal["null", "bool", "int", "float", "text"]
Span: TypeAlias = tuple[int, int]
Loader: TypeAlias = "type[yaml.BaseLoader | yaml.CBaseLoader]"  # the one in C is not always there

_CORE: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("null", re.compile(r"null|Null|NULL|~|")),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE")),
    ("int", re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")),
    (
        "float",
        re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.nan|\.NaN|\.NAN"),
    ),
)
_OTHER_THAN_TEXT = frozenset("~nNtTfF+-.0123456789")
"""What these begin with: most words need no second look."""
_ESCAPE = re.compile(r"\\(x..|u.{4}|U.{8}|.)|.", re.DOTALL)


def plain_kind(text: str) -> Kind:
    """What a text without quotes is by the core schema."""
    if text and text[0] not in _OTHER_THAN_TEXT:
        return "text"
    return next((kind for kind, pattern in _CORE if pattern.fullmatch(text)), "text")


@frozen
class Scalar:
    """A word, number or text. `plain`: written without quotes. `raw` is how it stands in the source."""

    text: str
    plain: bool
    place: Place
    span: Span = attrs.field(eq=False, repr=False)
    raw: str = attrs.field(eq=False, repr=False)

    @property
    def kind(self) -> Kind:
        """What it is by the core schema; whatever is quoted is text."""
        return plain_kind(self.text) if self.plain else "text"

    @property
    def integer(self) -> int:
        """The number an int stands for. Raises ValueError if it is longer than anybody needs."""
        if len(self.text) > 24:
            raise ValueError(self.text)
        base = {"0o": 8, "0x": 16}.get(self.text[:2], 10)
        return int(self.text, base)

    @property
    def exact(self) -> bool:
        """Whether every character of the text has its own place: no escapes, one line."""
        return "\n" not in self.raw and len(self.raw) - len(self.text) in ((0,) if self.plain else (2,))

    def at(self, offset: int) -> Place:
        """Where the character at `offset` of the text stands; the start of a text of several lines."""
        if "\n" in self.raw or self.raw[:1] in ("|", ">"):
            return self.place
        if self.raw[:1] == "'" and not self.plain:
            return self.place.shifted(1 + offset + self.text[:offset].count("'"))
        if self.raw[:1] == '"' and not self.plain:
            at = 1
            for _ in range(offset):
                match = _ESCAPE.match(self.raw, at)
                at = match.end() if match else at
            return self.place.shifted(at)
        return self.place.shifted(offset)


@frozen
class Mapping:
    """Keys and values in their order; `flow`: written in braces."""

    pairs: tuple[tuple[Scalar, Node], ...]
    place: Place
    flow: bool = attrs.field(eq=False, default=False)
    span: Span = attrs.field(eq=False, repr=False, default=(0, 0))


@frozen
class Sequence:
    """Items in their order; `flow`: written in brackets."""

    items: tuple[Node, ...]
    place: Place
    flow: bool = attrs.field(eq=False, default=False)
    span: Span = attrs.field(eq=False, repr=False, default=(0, 0))


@frozen
class Void:
    """Where something stood that was refused, so that nobody complains a second time."""

    place: Place
    span: Span = attrs.field(eq=False, repr=False, default=(0, 0))


Node: TypeAlias = Scalar | Mapping | Sequence | Void


@frozen
class Comment:
    """A comment from its `#` to the end of its line; `alone`: nothing else stands on that line."""

    text: str
    place: Place
    index: int
    alone: bool


def describe(node: Node) -> str:
    """What a node is, for a message: `a mapping`, `the text …`."""
    match node:
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case Scalar(kind="null"):
            return "nothing"
        case Scalar(text=text, kind=kind):
            shown = text if len(text) <= 40 else text[:39] + "…"
            return f"the text `{shown}`" if kind == "text" else f"`{shown}`"
        case _:
            return "nothing"


# ---- text -> nodes


@attrs.define
class _Frame:
    """A mapping or list whose end has not come yet."""

    place: Place
    start: int
    flow: bool
    mapping: bool
    items: list[Node] = attrs.field(factory=list)


_FASTEST: Loader = cast("Loader", getattr(yaml, "CBaseLoader", yaml.BaseLoader))


def compose(source: Source, loader: Loader | None = None) -> Node | None:
    """The root of the text, or None if there is none or it is not YAML; problems are added to `source`.

    `loader` is the parser to use: PyYAML's in C where it is installed, unless told otherwise.
    """
    if source.problems:
        return None
    roots: list[Node] = []
    stack: list[_Frame] = []
    parser = loader or _FASTEST
    try:
        for event in yaml.parse(source.text, Loader=parser):
            if source.full or not _take(event, stack, roots, source):
                return roots[0] if roots else None
    except yaml.YAMLError as error:
        report_yaml_error(source, error)
        return None
    root = roots[0] if roots else None
    if root is None or (isinstance(root, Scalar) and root.plain and not root.text):
        if not source.problems:
            source.report("empty-file", "there is nothing in this file", source.place(0, 0))
        return None
    return root


def _take(event: yaml.Event, stack: list[_Frame], roots: list[Node], source: Source) -> bool:
    """One event; False when reading on would be in vain."""
    begins, ends = event.start_mark, event.end_mark
    assert begins
    assert ends
    start, end = source.index(begins.line, begins.column), source.index(ends.line, ends.column)
    place = source.place(begins.line, begins.column)
    match event:
        case yaml.DocumentStartEvent(version=version, tags=tags):
            if roots:
                source.report(
                    "several-documents", "`---` begins a second document", place, "one file holds one document"
                )
                return False
            if version or tags:
                source.report(
                    "directive",
                    "directives cannot be used",
                    source.place(0, 0),
                    "leave out the line that begins with `%`",
                )
        case yaml.AliasEvent(anchor=anchor):
            source.report(
                "alias",
                f"the alias `*{anchor}` cannot be used",
                place,
                "write out what it stands for, or put a `*` in quotes",
            )
            _put(Void(place, (start, start)), stack, roots)
        case yaml.NodeEvent():
            _refuse_decoration(event, place, source)
            if isinstance(event, yaml.ScalarEvent):
                plain, span = not event.style, (start, end)
                scalar = Scalar(event.value, plain, place, span, source.text[start:end])
                _put(scalar if event.tag is None else Void(place, span), stack, roots)
            elif len(stack) >= DEEPEST:
                source.report("too-deep", f"mappings and lists nest at most {DEEPEST} deep", place)
                roots.clear()
                return False
            else:
                assert isinstance(event, yaml.CollectionStartEvent)
                stack.append(_Frame(place, start, bool(event.flow_style), isinstance(event, yaml.MappingStartEvent)))
        case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
            frame = stack.pop()
            span = (frame.start, end)
            if frame.mapping:
                pairs = tuple(_pairs(frame.items, source))
                _put(Mapping(pairs, frame.place, frame.flow, span), stack, roots)
            else:
                _put(Sequence(tuple(frame.items), frame.place, frame.flow, span), stack, roots)
        case _:
            pass
    return True


def _refuse_decoration(event: yaml.NodeEvent, place: Place, source: Source) -> None:
    if event.anchor is not None:
        source.report("anchor", f"the anchor `&{event.anchor}` cannot be used", place, "write out what it stands for")
    tag = getattr(event, "tag", None)
    if tag is not None:
        source.report(
            "tag",
            f"the tag `{tag.replace('tag:yaml.org,2002:', '!!')}` cannot be used",
            place,
            "`!` begins a tag in YAML: write `not`, or put the text in quotes",
        )


def _put(node: Node, stack: list[_Frame], roots: list[Node]) -> None:
    (stack[-1].items if stack else roots).append(node)


def _pairs(items: list[Node], source: Source) -> Iterator[tuple[Scalar, Node]]:
    seen: dict[str, Scalar] = {}
    for key, value in zip(items[::2], items[1::2], strict=True):
        if isinstance(key, Void):
            continue
        if not isinstance(key, Scalar):
            source.report("complex-key", f"a key is a word, not {describe(key)}", key.place)
        elif key.text in seen:
            first = seen[key.text].place
            source.report(
                "duplicate-key", f"`{key.text}` stands here twice", key.place, f"the first is on line {first.line}"
            )
        else:
            seen[key.text] = key
            yield key, value


# ---- comments


def comments(source: Source, root: Node | None) -> tuple[Comment, ...]:
    """Every comment of the text in order: each `#` that stands in no scalar."""
    found: list[Comment] = []
    spans = sorted((scalar.span, scalar.raw) for scalar in scalars(root) if scalar.raw) if root else []
    at, spans_left = 0, iter([*spans, ((len(source.text), len(source.text)), "")])
    for (start, end), raw in spans_left:
        while (hash_ := source.text.find("#", at, start)) >= 0:
            at = _add_comment(found, source, hash_)
        at = max(at, start)
        if raw[:1] in ("|", ">"):
            header = raw.split("\n", 1)[0]
            if "#" in header:
                _add_comment(found, source, start + header.index("#"))
        at = max(at, end)
    return tuple(found)


def _add_comment(found: list[Comment], source: Source, index: int) -> int:
    place = source.place_at(index)
    line = source.line(place.line)
    found.append(Comment(line[place.column - 1 :].rstrip(), place, index, not line[: place.column - 1].strip()))
    return index + len(line) - place.column + 1


def scalars(node: Node) -> Iterator[Scalar]:
    """Every scalar of a tree, keys included, in the order of the text."""
    match node:
        case Scalar():
            yield node
        case Mapping(pairs=pairs):
            for key, value in pairs:
                yield key
                yield from scalars(value)
        case Sequence(items=items):
            for item in items:
                yield from scalars(item)
        case _:
            pass

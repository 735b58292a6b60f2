"""Nodes and comments -> drafts: what is to be written, in canonical order, each comment with what it speaks of."""

from __future__ import annotations

from collections.abc import Mapping as Lookup
from typing import Literal, TypeAlias

import attrs

from outlast.language.grammar import RECORDS
from outlast.language.nodes import Comment, Mapping, Node, Scalar, Sequence, Void
from outlast.language.shapes import (
    Blocks,
    Either,
    Many,
    Name,
    OneOrMany,
    Record,
    Shape,
    Table,
    Text,
    Use,
)
from outlast.language.source import Source

Layout: TypeAlias = Literal["row", "entry", "block", "free"]


@attrs.define
class Atom:
    """One scalar. `prose` may be folded, as its author did in `lines`; `bare` is no text and stands as it is."""

    text: str
    prose: bool = False
    bare: bool = False
    lines: tuple[str, ...] = ()


@attrs.define
class Item:
    """An entry of a mapping (with a key) or of a list: what stands above it, and the comment behind it.

    `padded`: more than a space stands behind its key. `breaks`: in braces, it begins a line.
    """

    key: str
    value: Draft
    before: list[str] = attrs.field(factory=list)
    after: str = ""
    after_column: int = 0
    padded: bool = False
    breaks: bool = False


@attrs.define
class Group:
    """A mapping or list, in canonical order and as its author had it.

    `flow`: it stood in brackets; `aligned`: with its first cell padded; `tail`: comments at its end.
    """

    mapping: bool
    layout: Layout
    flow: bool
    items: list[Item] = attrs.field(factory=list)
    tail: list[str] = attrs.field(factory=list)
    commented: bool = False
    aligned: bool = False
    pads_keys: bool = False
    authored: list[Item] = attrs.field(factory=list)


Draft: TypeAlias = Atom | Group


@attrs.define
class Drafter:
    """Turns nodes into drafts. Without a source, nodes were made from a model, and there are no comments."""

    source: Source | None
    comments: list[Comment]
    records: Lookup[str, Record] = RECORDS
    at: int = 0

    def draft(self, node: Node, shape: Shape | None, limit: int) -> Draft:
        """The draft of a node; comments up to `limit`, a position in the text, may belong to it."""
        if isinstance(shape, Either):
            shape = _meant(node, shape)
        match node:
            case Scalar():
                bare = node.kind != "text"
                folds = isinstance(shape, Text)
                text = node.text if bare else node.text.strip()
                return Atom(text, folds or _is_expression(shape), bare, _folded_lines(node, text))
            case Mapping():
                return self.mapping(node, shape, limit)
            case Sequence():
                return self.sequence(node, shape, limit)
            case Void():
                raise AssertionError("a text with problems is not formatted")

    def mapping(self, node: Mapping, shape: Shape | None, limit: int) -> Group:
        """A record in canonical order, or a table as it is."""
        record = self.records[shape.record] if isinstance(shape, Use) else None
        group = Group(True, self.layout(shape), node.flow, pads_keys=record is None)
        order: dict[int, int] = {}
        for number, (key, value) in enumerate(node.pairs):
            stop = node.pairs[number + 1][0].span[0] if number + 1 < len(node.pairs) else limit
            inner = _inside(record, shape, key.text)
            item = self.item(key.text, key, value, inner, min(stop, node.span[1]) if node.flow else stop)
            item.padded = self.is_padded(key.span[1] + 1)
            if number == 0 and isinstance(value, Scalar):
                wished = self.is_padded(value.span[1] + 1) if self.source else key.text in ("id", "at")
                group.aligned = node.flow and wished
            order[id(item)] = _rank(record, key.text)
            group.authored.append(item)
        group.items = sorted(group.authored, key=lambda item: order[id(item)])
        for item in group.items[1:]:
            known = record.key(item.key) if record else None
            if known and known.section and item.before[:1] != [""]:
                item.before.insert(0, "")
        return self.finished(group, node, limit)

    def sequence(self, node: Sequence, shape: Shape | None, limit: int) -> Group:
        """A list."""
        group = Group(False, self.layout(shape), node.flow)
        item_shape = _item_shape(node, shape)
        for number, value in enumerate(node.items):
            stop = node.items[number + 1].span[0] if number + 1 < len(node.items) else limit
            group.items.append(self.item("", None, value, item_shape, min(stop, node.span[1]) if node.flow else stop))
        group.authored = group.items
        return self.finished(group, node, limit)

    def item(self, text: str, key: Scalar | None, value: Node, shape: Shape | None, limit: int) -> Item:
        """One entry with its comments."""
        start = (key or value).span[0]
        item = Item(text, Atom(""), self.leading(start))
        if not isinstance(value, Scalar) and not value.flow:  # type: ignore[union-attr]  # a Void is never drafted
            if key:
                self.trailing(item, key.span[1], value.span[0])
        else:
            item.before += [line for line in self.leading(value.span[0]) if line]
        item.value = self.draft(value, shape, limit)
        if isinstance(value, Scalar) or value.flow:  # type: ignore[union-attr]
            self.trailing(item, start if isinstance(value, Scalar) else value.span[1], limit)
        return item

    def finished(self, group: Group, node: Mapping | Sequence, limit: int) -> Group:
        """The group with the comments at its end, and whether there are any in it."""
        if node.flow:
            group.tail = [line for line in self.leading(node.span[1]) if line]
            for item in group.items:
                item.before = [line for line in item.before if line]
            for item, (start, end) in zip(group.authored, self.gaps(node), strict=True):
                item.breaks = self.source is not None and "\n" in self.source.text[start:end]
        else:
            column = node.place.column
            group.tail = self.leading(limit, column)
        group.commented = bool(group.tail) or any(
            any(item.before) or item.after or (isinstance(item.value, Group) and item.value.commented)
            for item in group.items
        )
        return group

    def layout(self, shape: Shape | None) -> Layout:
        """How a value of this shape is laid out."""
        match shape:
            case Use(record=record):
                return self.records[record].layout
            case Many(item=Use(record=record)) if record != "action":
                return "block"
            case Many(item=Name()) | OneOrMany():
                return "row"
            case Table(value=value) if _is_tall(value):
                return "block"
            case _:
                return "free"

    def gaps(self, node: Mapping | Sequence) -> list[tuple[int, int]]:
        """Where in the text there is nothing but commas before each entry."""
        if isinstance(node, Mapping):
            spans = [(key.span[0], value.span[1]) for key, value in node.pairs]
        else:
            spans = [item.span for item in node.items]
        ends = [node.span[0], *(end for _, end in spans)]
        return [(end, start) for end, (start, _) in zip(ends, spans, strict=False)]

    # ---- comments

    def leading(self, limit: int, column: int = 0) -> list[str]:
        """The comments before `limit` that stand no further left than `column`, with a blank line where there was one."""
        lines: list[str] = []
        while self.at < len(self.comments) and (comment := self.comments[self.at]).index < limit:
            if comment.place.column < column:
                break
            if self.blank_above(comment.place.line):
                lines.append("")
            lines.append(comment.text)
            self.at += 1
        if self.source and not column and self.blank_above(self.source.place_at(limit).line):
            lines.append("")
        return lines

    def trailing(self, item: Item, start: int, limit: int) -> None:
        """Give `item` the comment that stands on its line, or on a line where its value goes on."""
        if self.at >= len(self.comments) or not self.source:
            return
        comment = self.comments[self.at]
        line = self.source.place_at(start).line
        follows = comment.place.line == line or (isinstance(item.value, Atom) and not comment.alone)
        if comment.index < limit and follows:
            item.after, item.after_column = comment.text, comment.place.column
            self.at += 1

    def blank_above(self, line: int) -> bool:
        """Whether the line above is blank."""
        return self.source is not None and line > 1 and not self.source.line(line - 1).strip()

    def is_padded(self, index: int) -> bool:
        """Whether more than one space stands at a position of the text. What was made from a model is to be aligned."""
        return self.source is None or self.source.text[index : index + 2] == "  "


def _meant(node: Node, shape: Either) -> Shape:
    """The form a node has."""
    if shape.key:
        long = isinstance(node, Mapping) and any(key.text == shape.key for key, _ in node.pairs)
        return shape.long if long else shape.short
    return shape.short if isinstance(node, Scalar) else shape.long


def _inside(record: Record | None, shape: Shape | None, key: str) -> Shape | None:
    if record:
        known = record.key(key)
        return known.shape if known else record.others.value if record.others else None
    return shape.value if isinstance(shape, Table) else None


def _rank(record: Record | None, key: str) -> int:
    """Where a key stands among its siblings; all the same in a table, whose order is the author's."""
    if record is None:
        return 0
    names = [known.name for known in record.keys]
    if key in names:
        return 2 * names.index(key)
    return 2 * names.index(record.others_after) + 1 if record.others_after else 2 * len(names)


def _item_shape(node: Sequence, shape: Shape | None) -> Shape | None:
    match shape:
        case Many(item=item) | OneOrMany(item=item):
            return item
        case Blocks():
            nested = any(isinstance(item, Sequence) for item in node.items)
            return Many(Use("action"), "") if nested else Use("action")
        case _:
            return None


def _is_tall(value: Shape) -> bool:
    """Whether a table of these is written one to a line."""
    records = {"event", "effect", "ref", "actor", "constant", "assumption", "given"}
    match value:
        case Use(record=record):
            return record in records
        case Either(long=Use(record=record)):
            return record in {*records, "guard"}
        case _:
            return isinstance(value, Text)


def _folded_lines(node: Scalar, text: str) -> tuple[str, ...]:
    """The lines of a text its author has folded."""
    if node.raw[:1] != ">" or node.plain:
        return ()
    lines = tuple(line.strip() for line in node.raw.rstrip().split("\n")[1:])
    return lines if " ".join(lines) == text else ()


def _is_expression(shape: Shape | None) -> bool:
    return type(shape).__name__ in ("Condition", "Value")

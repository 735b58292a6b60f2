"""Nodes -> values: one walk over the grammar that checks and reads. What a record means is build.py's work.

A problem is reported where it stands, once, and does not hide others: what cannot be read is left out (None), and whoever reads the
record around it takes the key as said.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Lookup
from typing import TypeAlias, cast

import attrs

from outlast.errors import did_you_mean
from outlast.expr import Expr
from outlast.language import expressions
from outlast.language.grammar import RECORDS
from outlast.language.nodes import Mapping, Node, Scalar, Sequence, Void, describe
from outlast.language.shapes import (
    INSTANCE,
    AtMostOne,
    Blocks,
    Condition,
    Duration,
    Either,
    Excludes,
    Flag,
    Many,
    Name,
    Needs,
    OneOf,
    OneOrMany,
    Record,
    Rule,
    Shape,
    Table,
    Text,
    Use,
    Value,
    Whole,
)
from outlast.language.source import Source
from outlast.place import Place, Word
from outlast.values import frozen

Entries: TypeAlias = tuple[tuple[Word, object], ...]


@frozen
class Found:
    """A record as it was read: the values of its keys, without those that could not be read."""

    record: Record
    place: Place
    source: Source
    values: dict[str, object] = attrs.field(factory=dict)
    places: dict[str, Place] = attrs.field(factory=dict)
    others: Entries = ()

    def word(self, key: str) -> Word | None:
        """A name, if it was given."""
        value = self.values.get(key)
        return value if isinstance(value, Word) else None

    def words(self, key: str) -> tuple[Word, ...]:
        """A list of names; empty when not given."""
        return cast("tuple[Word, ...]", self.values.get(key, ()))

    def text(self, key: str) -> str:
        """A text; empty when not given."""
        return cast(str, self.values.get(key, ""))

    def flag(self, key: str) -> bool:
        """A yes; no when not given."""
        return self.values.get(key) is True

    def expr(self, key: str) -> Expr | None:
        """An expression, if it was given."""
        return cast("Expr | None", self.values.get(key))

    def entries(self, key: str) -> Entries:
        """The names of a table, each with its value; empty when not given."""
        return cast(Entries, self.values.get(key, ()))


Build: TypeAlias = Callable[[Found], object]


@frozen
class Reader:
    """Reads nodes of one source. `build` makes a value of each record, or None to leave it out."""

    source: Source
    build: Build
    records: Lookup[str, Record] = RECORDS
    """Those of the language, and whatever others a file of this kind has."""

    def read(self, node: Node, shape: Shape, label: str) -> object | None:
        """What `node` says where `shape` is wanted; None, with problems, if it says something else."""
        if isinstance(node, Void):
            return None
        match shape:
            case Use(record=record):
                return self.record(node, self.records[record], label)
            case Either():
                return self.either(node, shape, label)
            case Table():
                return self.table(node, shape, label)
            case Many():
                return self.many(node, shape, label)
            case OneOrMany():
                items = node if isinstance(node, Sequence) else Sequence((node,), node.place)
                return self.many(items, Many(shape.item, shape.said, least=1, unique=shape.unique), label)
            case Blocks():
                return self.blocks(node, label)
            case Condition():
                return expressions.condition(node, self.source, label)
            case Value(duration=duration):
                return expressions.value(node, self.source, label, duration=duration)
            case Duration():
                return expressions.duration(node, self.source, label)
            case _:
                return self.scalar(node, shape, label)

    def wrong(self, node: Node, said: str, label: str, hint: str | None = None) -> None:
        """Report a node of a kind that is not accepted."""
        if isinstance(node, Scalar) and node.kind == "null":
            hint = "write `{}` when there is nothing to say" if "mapping" in said else hint
            self.source.report("empty-value", f"`{label}` has no value: it takes {said}", node.place, hint)
        else:
            self.source.report("wrong-kind", f"`{label}` takes {said}, not {describe(node)}", node.place, hint)

    # ---- one scalar

    def scalar(self, node: Node, shape: Text | Name | Flag | Whole | OneOf, label: str) -> object | None:
        """A word, text or number."""
        if not isinstance(node, Scalar):
            self.wrong(node, shape.said, label)
            return None
        match shape, node.kind:
            case Text(), "text" if node.text.strip():
                return node.text.strip()
            case Text(), "text":
                self.source.report("empty-value", f"`{label}` has no text", node.place)
            case Text(), "bool" | "int" | "float":
                self.wrong(node, shape.said, label, "put it in quotes")
            case Name(), "text":
                return self.name(node, shape)
            case Flag(), "bool":
                return node.text.lower() == "true"
            case Flag(), "text" if node.text in ("yes", "no", "on", "off"):
                word = "true" if node.text in ("yes", "on") else "false"
                self.wrong(node, shape.said, label, f"write `{word}`")
            case Whole(), "int" if len(node.text) < 19:
                return node.integer
            case OneOf(words=words), "text":
                if node.text in words:
                    return Word(node.text, node.place)
                hint = did_you_mean(node.text, words) or dict(shape.hints).get(node.text)
                self.source.report("unknown-word", f"`{label}` is {shape.said}, not `{node.text}`", node.place, hint)
                guess = did_you_mean(node.text, words)
                return Word(guess.split("`")[1], node.place) if guess else None
            case _:
                self.wrong(node, shape.said, label)
        return None

    def name(self, node: Scalar, shape: Name) -> Word | None:
        """A name of the form that is wanted here."""
        text = " ".join(node.text.split()) if shape.pattern is INSTANCE else node.text
        if shape.pattern.accepts(text):
            return Word(text, node.place)
        if text in shape.pattern.reserved:
            self.source.report("reserved-name", f"`{text}` is a word of the language and cannot be a name", node.place)
        else:
            shown = text if len(text) <= 40 else text[:39] + "…"
            self.source.report("bad-name", f"`{shown}` is not {shape.said}", node.place)
        return None

    # ---- several

    def either(self, node: Node, shape: Either, label: str) -> object | None:
        """The short form or the long one."""
        if shape.key:
            long = isinstance(node, Mapping) and any(key.text == shape.key for key, _ in node.pairs)
        else:
            long = not isinstance(node, Scalar)
            fits = isinstance(node, Sequence if isinstance(shape.long, Many) else Mapping)
            if (long and not fits) or (isinstance(node, Scalar) and node.kind == "null"):
                self.wrong(node, shape.said, label)
                return None
        return self.read(node, shape.long if long else shape.short, label)

    def table(self, node: Node, shape: Table, label: str) -> Entries | None:
        """The author's names, each with its value; those that cannot be read are left out."""
        if not isinstance(node, Mapping):
            self.wrong(node, shape.said, label)
            return None
        if len(node.pairs) < shape.least:
            self.source.report("empty-value", f"`{label}` is empty: it takes {shape.said}", node.place)
        if shape.most is not None and len(node.pairs) > shape.most:
            extra = node.pairs[shape.most][0]
            self.source.report("too-many", f"{shape.said}: `{extra.text}` is one more", extra.place)
            return self.table(attrs.evolve(node, pairs=node.pairs[: shape.most]), shape, label)
        return tuple(entry for pair in node.pairs if (entry := self.entry(pair, shape)))

    def entry(self, pair: tuple[Scalar, Node], shape: Table) -> tuple[Word, object] | None:
        """One name of a table with its value."""
        key, node = pair
        name = self.key(key, shape.key)
        value = self.read(node, shape.value, key.text)
        if isinstance(value, Found):
            value.values["name"] = name
            value = self.build(value)
        return (name, value) if name is not None and value is not None else None

    def key(self, key: Scalar, shape: Name) -> Word | None:
        """A key as a name."""
        if key.kind != "text":
            self.source.report("bad-name", f"`{key.text}` is not {shape.said}", key.place)
            return None
        return self.name(key, shape)

    def many(self, node: Node, shape: Many, label: str) -> tuple[object, ...] | None:
        """The items of a list; those that cannot be read are left out."""
        if not isinstance(node, Sequence):
            is_one = isinstance(node, Scalar) and isinstance(shape.item, Name)
            hint = "write it in brackets, as a list of one" if is_one else None
            self.wrong(node, shape.said, label, hint)
            return None
        if len(node.items) < shape.least:
            self.source.report("empty-value", f"`{label}` is empty: it takes {shape.said}", node.place)
        values = []
        for item in node.items:
            value = self.built(self.read(item, shape.item, label))
            if shape.unique and value in values:
                self.source.report("duplicate-item", f"`{value}` stands in this list twice", item.place)
            elif value is not None:
                values.append(value)
        return tuple(values)

    def built(self, value: object | None) -> object | None:
        """A record made into what it means; anything else as it is."""
        return self.build(value) if isinstance(value, Found) else value

    def blocks(self, node: Node, label: str) -> tuple[object, ...] | None:
        """One block of actions, or several."""
        shape = Many(Use("action"), "a list of actions, or a list of such lists")
        if not (isinstance(node, Sequence) and any(isinstance(item, Sequence) for item in node.items)):
            block = self.many(node, shape, label)
            return (block,) if block else None
        blocks = []
        for item in node.items:
            if isinstance(item, Mapping):
                self.source.report(
                    "mixed-blocks",
                    f"`{label}` mixes actions and lists of actions",
                    item.place,
                    "put this action in brackets",
                )
            elif block := self.many(item, shape, label):
                blocks.append(block)
        return tuple(blocks)

    # ---- records

    def record(self, node: Node, record: Record, label: str) -> Found | None:
        """A mapping whose keys the language knows, as far as it could be read; not built yet."""
        if not isinstance(node, Mapping):
            self.wrong(node, record.said, label)
            return None
        found = Found(record, node.place, self.source)
        unknown: list[tuple[Scalar, Node]] = []
        others: list[tuple[Scalar, Node]] = []
        for key, inner in node.pairs:
            if known := record.key(key.text):
                found.places[key.text] = key.place
                value = self.built(self.read(inner, known.shape, key.text))
                if value is not None:
                    found.values[key.text] = value
            elif record.others and (record.others.key.pattern is not INSTANCE or len(key.text.split()) == 2):
                others.append((key, inner))
            else:
                unknown.append((key, inner))
        for key, inner in unknown:
            self.unknown(key, inner, node, found)
        if others and record.others:
            table = Mapping(tuple(others), node.place)
            found = attrs.evolve(found, others=self.table(table, record.others, others[0][0].text) or ())
            found.places["others"] = others[0][0].place
        self.check(node, found, strict=not unknown)
        return found

    def unknown(self, key: Scalar, inner: Node, node: Mapping, found: Found) -> None:
        """Report a key nobody knows, and go on as if it were the one that was probably meant."""
        record, source = found.record, self.source
        hint = source.suggest(key.text, [known.name for known in record.keys])
        if node.flow and isinstance(inner, Scalar) and not inner.raw:
            hint = "a text with a comma needs quotes inside braces"
        noun = "action" if record.unknown == "unknown-action" else None
        text = f"there is no action `{key.text}`" if noun else f"{record.noun} has no `{key.text}`"
        source.report(record.unknown, text, key.place, hint)
        if source.full:
            return
        guess = did_you_mean(key.text, [known.name for known in record.keys])
        meant = record.key(guess.split("`")[1]) if guess else None
        if meant and meant.name not in found.places:
            count = len(source.problems)
            value = self.built(self.read(inner, meant.shape, meant.name))
            del source.problems[count:]
            found.places[meant.name] = key.place
            if value is not None:
                found.values[meant.name] = value

    def check(self, node: Mapping, found: Found, *, strict: bool) -> None:
        """The rules of a record; each key is blamed once. `strict`: nothing unknown might be what is missing."""
        record = found.record
        said = [name for name in found.places if found.values.get(name) is not False]
        blamed: set[str] = set()
        for key in record.keys:
            if key.required and key.name not in found.places:
                what = f"`{key.name}`: {key.about[0].lower()}{key.about[1:].rstrip('.')}"
                self.source.report("missing-key", f"{record.noun} needs `{key.name}`", node.place, what)
        for rule in record.rules:
            for code, text, name in _broken(rule, said):
                if name not in blamed:
                    blamed.add(name)
                    self.source.report(code, text, found.places[name])
        for rule in record.rules:
            if isinstance(rule, AtMostOne) and rule.missing and strict and not {*rule.keys} & {*said} and not blamed:
                self.source.report(rule.missing, rule.text, node.place)


def _broken(rule: Rule, said: list[str]) -> list[tuple[str, str, str]]:
    """What `rule` finds wrong with these keys: code, text, and the key to blame."""
    match rule:
        case AtMostOne(keys=keys, code=code, text=text):
            there = [key for key in said if key in keys]
            return [(code, f"{text}: `{there[0]}` and `{key}`", key) for key in there[1:2]]
        case Excludes(key=key, others=others, code=code, text=text) if key in said:
            there = [other for other in others if other in said]
            return [(code, f"{text}: `{other}` cannot stand beside `{key}`", other) for other in there]
        case Needs(key=key, others=others, code=code, text=text) if key in said:
            return [] if any(other in said for other in others) else [(code, text, key)]
        case _:
            return []

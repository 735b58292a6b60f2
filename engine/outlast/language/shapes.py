"""The vocabulary in which grammar.py describes the language: what may stand in a place of a specification."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

import attrs

from outlast.expr.parse import KEYWORDS
from outlast.values import frozen

_WORD = r"[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*"
_DASHED = "letters, digits and dashes, beginning with a letter"


@frozen
class Pattern:
    """How a name may look; `said` puts it into words."""

    regex: str
    said: str
    reserved: frozenset[str] = frozenset()

    def accepts(self, text: str) -> bool:
        """Whether `text` is such a name."""
        return re.fullmatch(self.regex, text) is not None and text not in self.reserved


NAME = Pattern(_WORD, f"a name: {_DASHED}", KEYWORDS)
VALUE_NAME = attrs.evolve(NAME, reserved=KEYWORDS | {"self", "event"})
PATH = Pattern(rf"{_WORD}(?:\.{_WORD})*", f"a name, or names joined by dots: {_DASHED}", KEYWORDS)
DESCRIPTOR = Pattern(
    rf"\*|{_WORD}(?:\.[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*)*(?:\.\*)?", "an event: names joined by dots, or `*`", KEYWORDS
)
CLAUSE = Pattern(r"[A-Za-z_][A-Za-z0-9_]*(?:[-.][A-Za-z0-9_]+)*", "the id of a clause, like `TIP-31`")
INSTANCE = Pattern(rf"{_WORD} +{_WORD}(?:\.[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*)*", "a machine and the name of an instance")
FILE = Pattern(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.ya?ml", "the name of a file beside this one, like `clauses.yaml`")


# ---- one scalar


@frozen
class Text:
    """Words for people."""

    said: str = "text"


@frozen
class Name:
    """A name of the author's, or a reference to one."""

    pattern: Pattern = NAME

    @property
    def said(self) -> str:
        """What is accepted, in words."""
        return self.pattern.said


@frozen
class Flag:
    """Yes or no."""

    said: str = "`true` or `false`"


@frozen
class Whole:
    """A whole number."""

    said: str = "a whole number"


@frozen
class OneOf:
    """One of a few words of the language. `hints` are for whoever wrote a certain other."""

    words: tuple[str, ...]
    hints: tuple[tuple[str, str], ...] = ()

    @property
    def said(self) -> str:
        """What is accepted, in words."""
        *most, last = [f"`{word}`" for word in self.words]
        return f"{', '.join(most)} or {last}" if most else last


@frozen
class Duration:
    """A duration that is known, not computed."""

    said: str = "a duration like `15m`"


@frozen
class Value:
    """An expression; with `duration`, one of that type."""

    duration: bool = False

    @property
    def said(self) -> str:
        """What is accepted, in words."""
        return "a duration like `15m`, or an expression of one" if self.duration else "a value or an expression"


@frozen
class Condition:
    """A guard: text, or its structured form."""

    said: str = "a condition"


# ---- several


@frozen
class OneOrMany:
    """One, or a list of at least one."""

    item: Name
    said: str

    unique: bool = True


@frozen
class Many:
    """A list. `row`: its items are written one to a line."""

    item: Shape
    said: str
    least: int = 0
    unique: bool = False


@frozen
class Blocks:
    """One list of actions, or a list of such lists: several blocks."""

    said: str = "a list of actions"


@frozen
class Table:
    """The author's names, each with something of the same shape."""

    key: Name
    value: Shape
    said: str
    least: int = 0
    most: int | None = None


@frozen
class Use:
    """The record of that name."""

    record: str


@frozen
class Either:
    """A short form as one word and a long form; `key` tells a long form from another mapping."""

    short: Name | OneOf | Condition
    long: Shape
    said: str
    key: str | None = None


Shape: TypeAlias = (
    Text | Name | Flag | Whole | OneOf | Duration | Value | Condition | OneOrMany | Many | Blocks | Table | Use | Either
)


# ---- records


@frozen
class Key:
    """A key of a record. `section`: a blank line comes before it where the layout has room."""

    name: str
    shape: Shape
    about: str
    required: bool = False
    section: bool = False


@frozen
class AtMostOne:
    """Of these keys one at most; with `missing`, the code for none, exactly one."""

    keys: tuple[str, ...]
    code: str
    text: str
    missing: str = ""


@frozen
class Excludes:
    """Beside this key none of the others."""

    key: str
    others: tuple[str, ...]
    code: str
    text: str


@frozen
class Needs:
    """A key that means something only beside one of the others; the problem stands on the key."""

    key: str
    others: tuple[str, ...]
    code: str
    text: str


Rule: TypeAlias = AtMostOne | Excludes | Needs
Layout: TypeAlias = Literal["row", "entry", "block", "free"]
"""How a record is written: `row` in braces, over several lines if it must be; `entry` in braces if it fits on one line;
`block` never in braces; `free` as the author did."""


@frozen
class Record:
    """A mapping whose keys the language knows, in canonical order.

    `others`: beside them, keys the author names; they stand after the key `others_after`.
    """

    name: str
    noun: str
    about: str
    keys: tuple[Key, ...]
    layout: Layout = "entry"
    rules: tuple[Rule, ...] = ()
    others: Table | None = None
    others_after: str = ""
    unknown: str = "unknown-key"

    def key(self, name: str) -> Key | None:
        """The key of that name, if there is one."""
        return next((key for key in self.keys if key.name == name), None)

    @property
    def said(self) -> str:
        """What is accepted, in words."""
        return f"{self.noun}: a mapping with {', '.join(f'`{key.name}`' for key in self.keys[:4])} …"

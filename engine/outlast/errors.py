"""Every error Outlast raises, and `Problem`, the unit of what is wrong with a text.

    OutlastError
    ├── SpecError            a specification, scenario or table is not sound: carries every Problem found
    ├── MisuseError          the caller asked for something that does not exist or makes no sense
    │   ├── UnknownName      no system, machine, instance, event … of that name (with a suggestion)
    │   │   └── InstanceGone     there was one, and it is over
    │   ├── InstanceExists   an instance of that name is there already
    │   ├── RefusedInstance  an instance cannot be made with these fields and refs
    │   ├── OutdatedError    an instance is not at the version the caller has seen
    │   ├── IdempotencyError the id of an input was used for something else
    │   ├── ClockSkewError   an instant is further ahead than a clock that is right would say
    │   └── SnapshotError    a snapshot does not belong to this plan, or is damaged
    ├── LimitExceeded        a run hit a limit: a cycle of eventless transitions, an endless exchange of events
    ├── StoreError           a database cannot be used, or what is in it is damaged: nothing was kept
    │   ├── Conflict         others changed the same meanwhile: trying again makes sense
    │   └── Unsettled        the connection was lost while committing: nobody knows whether it was kept
    └── MissingExtra         an optional dependency is not installed

Messages are lower case, one line, without a full stop, and put the author's own words in backticks.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Literal

import attrs

from outlast.place import Place, place_of
from outlast.values import frozen

Severity = Literal["error", "warning"]


@frozen
class Problem:
    """One thing wrong with a text: a stable `code`, where, what, and if we can tell, what to do about it."""

    code: str
    text: str
    place: Place | None = None
    hint: str | None = None
    severity: Severity = "error"
    excerpt: str | None = attrs.field(default=None, eq=False)
    """The source line the problem stands on."""

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.code}: {self.text}{hint}"

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        """Sort key: by file and position, then code."""
        place = self.place or Place("", 0, 0)
        return (place.file, place.line, place.column, self.code, self.text)

    def to_json(self) -> dict[str, object]:
        """The problem as plain data; absent parts are left out."""
        data: dict[str, object] = {"code": self.code, "severity": self.severity, "text": self.text}
        if self.place:
            data |= {"file": self.place.file, "line": self.place.line, "column": self.place.column}
        if self.hint:
            data["hint"] = self.hint
        return data

    def pretty(self) -> str:
        """The problem with its source line and a caret under the column."""
        if not (self.place and self.excerpt is not None):
            return str(self)
        line, column = window(self.excerpt, self.place.column)
        return f"{self}\n  {line}\n  {' ' * (column - 1)}^"


def window(line: str, column: int, width: int = 96) -> tuple[str, int]:
    """At most `width` characters of `line` around `column`, and the column's position in them (both from 1)."""
    line = line.rstrip("\r\n").replace("\t", " ")
    if len(line) <= width:
        return line, column
    start = max(0, min(column - width // 2, len(line) - width))
    head, tail = "…" if start else "", "…" if start + width < len(line) else ""
    return f"{head}{line[start : start + width]}{tail}", column - start + len(head)


class OutlastError(Exception):
    """The base of every error raised on purpose."""


class SpecError(OutlastError):
    """A text is not a sound specification. `problems` holds all that was found, in order of place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.order))
        super().__init__("\n".join(map(str, self.problems)))


class MisuseError(OutlastError):
    """The caller asked for something that does not exist or makes no sense."""


class UnknownName(MisuseError):
    """Nothing of that name is known here."""

    def __init__(self, kind: str, name: str, known: Iterable[str] = ()) -> None:
        self.kind, self.name = kind, name
        known = list(known)
        hint = did_you_mean(name, known) or (f"known: {listed(known)}" if known else None)
        super().__init__(f"no {kind} is called `{name}`" + (f" ({hint})" if hint else ""))


class InstanceGone(UnknownName):
    """There was an instance of that name; its machine is over, or it was stopped. Its history remains."""

    def __init__(self, name: str) -> None:
        self.kind, self.name = "instance", name
        MisuseError.__init__(self, f"there is no instance `{name}` any more")


class InstanceExists(MisuseError):
    """An instance of that name is there already: names are used once at a time."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"an instance called `{name}` is already there")


class RefusedInstance(MisuseError):
    """An instance cannot be made with these fields, refs or start state."""


class OutdatedError(MisuseError):
    """An instance is not at the version the caller has seen: look at it again before saying anything."""


class IdempotencyError(MisuseError):
    """The id of an input was used for something else: whoever gives ids gave one twice. A repeat says exactly the same."""

    def __init__(self, id_: str) -> None:
        self.id = id_
        super().__init__(f"the id `{id_}` was used for something else")


class ClockSkewError(MisuseError):
    """An instant is so far beyond everything a store knows that a clock is probably wrong. Nothing was kept, nothing fired."""


class SnapshotError(MisuseError):
    """A snapshot does not belong to this plan, or is damaged."""


class LimitExceeded(OutlastError):
    """A run hit one of its limits; `path` names the transitions or events that led there, oldest first."""

    def __init__(self, text: str, path: Iterable[str] = ()) -> None:
        self.path = tuple(path)
        super().__init__(text + (f": {' -> '.join(self.path)}" if self.path else ""))


class StoreError(OutlastError):
    """A database cannot be used, or what is in it is damaged. Nothing of what was to be written was kept."""


class Conflict(StoreError):
    """Others changed the same meanwhile, or hold it: nothing was kept, and trying again makes sense."""


class Unsettled(StoreError):
    """The connection was lost while committing: whether it was kept is found out by saying the same again, under the same id."""


class MissingExtra(OutlastError):
    """An optional dependency is not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs more than the core: pip install 'outlast[{extra}]'")


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """`did you mean `x`?` for the closest known name, or None."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else None


def listed(names: Iterable[str], limit: int = 8) -> str:
    """Names for a message: in backticks, cut after `limit`."""
    names = list(names)
    shown = ", ".join(f"`{name}`" for name in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")


class Findings:
    """Keeps the problems of something an author wrote; for classes with a list of `problems`."""

    __slots__ = ()
    problems: list[Problem]

    def fail(self, code: str, text: str, place: Place | None, hint: str | None = None) -> None:
        """One more problem."""
        self.problems.append(Problem(code, text, place, hint))

    def known(self, kind: str, name: str, names: Iterable[str]) -> bool:
        """Whether `name` is one of `names`; a problem with a suggestion if not."""
        names = list(names)
        if name in names:
            return True
        hint = did_you_mean(name, names) or (f"known: {listed(names)}" if names else None)
        self.fail(f"unknown-{kind.split(maxsplit=1)[0]}", f"no {kind} is called `{name}`", place_of(name), hint)
        return False

"""File -> mapping: what the lines of a log say, every name known to the plan, every problem found before a line is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeAlias, cast

import attrs

from outlast import model
from outlast.errors import Findings, Problem, SpecError
from outlast.language.build import build
from outlast.language.grammar import RECORDS
from outlast.language.nodes import compose
from outlast.language.reader import Entries, Found, Reader
from outlast.language.source import from_file
from outlast.moments import DAY, HOUR, MINUTE, UNITS
from outlast.place import Place, Word
from outlast.plan import Machine, Plan, tables
from outlast.proofs.audit.grammar import AUDIT_RECORDS
from outlast.run.staging import Part as Given
from outlast.run.staging import problems_of, staged
from outlast.values import frozen


@frozen
class Part:
    """Where a value stands in a line (`pointer`), or the value itself (`word`); a number there counts `scale` microseconds each."""

    pointer: tuple[str, ...] | None = None
    word: str = ""
    scale: int | None = None
    place: Place | None = attrs.field(default=None, eq=False)

    def __str__(self) -> str:
        return pointer_text(self.pointer) if self.pointer is not None else self.word


Wanted: TypeAlias = tables.Field | tables.Ref
Parts: TypeAlias = tuple[tuple[Wanted, Part], ...]


@frozen(eq=False)
class Rule:
    """What one kind of line says about one instance."""

    plan: Plan
    type: str
    machine: Machine
    id: Part
    source: str = ""
    when: tuple[tuple[tuple[str, ...], frozenset[str]], ...] = ()
    ref: str | None = None
    time: Part | None = None
    new: Parts | None = None
    event: str | None = None
    payload: Parts = ()
    by: str | None = None
    states: frozenset[str] = frozenset()
    shown: str = ""
    """The first of them: what a finding calls it."""
    taken_as: str | None = None
    """The state an instance is put into when nothing explains what was seen."""
    via: tuple[tuple[str, ...], ...] = ()
    place: Place | None = None

    @property
    def subject(self) -> Machine:
        """The machine of the instance it speaks of: the one `ref` leads to, if there is one."""
        return self.machine if self.ref is None else self.plan.machines[self.machine.refs[self.ref].machine]

    @property
    def begins(self) -> bool:
        """Whether the instance begins here, rather than being met in the middle of its life."""
        return self.new is not None and not self.event and not self.states


@frozen(eq=False)
class Mapping:
    """A mapping fitted to a plan. Durations in microseconds."""

    name: str
    rules: tuple[Rule, ...]
    given: tuple[Given, ...] = ()
    adopt: dict[str, Given] = attrs.field(factory=dict)
    ignore: tuple[re.Pattern[str], ...] = ()
    complete: frozenset[str] = frozenset()
    tolerance: int = 0
    reorder: int = 5 * MINUTE
    wait: int = HOUR
    remember: int = DAY
    idle: int = 7 * DAY


def load_mapping(plan: Plan, path: Path) -> Mapping:
    """The mapping of a file, fitted to a plan. Raises SpecError with everything wrong with it."""
    try:
        source = from_file(path)
    except OSError as error:
        text = f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}"
        raise SpecError([Problem("unreadable-file", text)]) from error
    root = compose(source)
    found = (
        Reader(source, _build, RECORDS | AUDIT_RECORDS).record(root, AUDIT_RECORDS["audit"], "audit") if root else None
    )
    if found is None or source.problems:
        raise SpecError(source.problems)
    fitting = _Fitting(plan, [])
    mapping = fitting.mapping(found)
    if fitting.problems:
        raise SpecError(dict.fromkeys(fitting.problems))
    return mapping


# ---- nodes -> records


def _build(found: Found) -> object | None:
    """`given` in a table of machines is an instance without a name; the records of mappings stay as they were read."""
    if found.record.name in AUDIT_RECORDS:
        return found
    name = found.word("name")
    if found.record.name == "given" and name is not None and " " not in name:
        found.values["name"] = Word(f"{name} {name}", name.place)
    return build(found)


def part_of(value: object) -> Part:
    """A value as it was read: a pointer, a word, or a mapping of both with a unit."""
    if isinstance(value, Found):
        return Part(_pointer(value.word("at") or Word("/?")), "", UNITS[value.word("unit") or "s"], value.place)
    word = cast(Word, value)
    return (
        Part(_pointer(word), "", None, word.place) if word.startswith("/") else Part(None, str(word), None, word.place)
    )


def _pointer(text: str) -> tuple[str, ...]:
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in text.split("/")[1:])


def pointer_text(pointer: tuple[str, ...]) -> str:
    """A JSON Pointer as people write it."""
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in pointer)


# ---- records -> a mapping fitted to the plan


@frozen
class _Fitting(Findings):
    plan: Plan
    problems: list[Problem]

    def mapping(self, found: Found) -> Mapping:
        def duration(key: str, default: int) -> int:
            return cast(int, found.values.get(key, default))

        for name in found.words("complete"):
            self.known("machine", name, self.plan.machines)
        given = tuple(cast(model.Given, value) for _, value in found.entries("given"))
        presumed = tuple(cast(model.Given, value) for _, value in found.entries("adopt"))
        rules = cast("tuple[Found, ...]", found.values.get("rules", ()))
        fitted = tuple(rule for each in rules if (rule := self.rule(each)))
        scenario = model.Scenario(found.word("audit") or Word("?"), given=(*given, *presumed), place=found.place)
        self.problems.extend(problems_of(self.plan, scenario))
        parts = staged(self.plan, scenario).given if not self.problems else ()
        return Mapping(
            name=str(found.word("audit")),
            rules=fitted,
            given=parts[: len(given)],
            adopt={part.machine: part for part in parts[len(given) :]},
            ignore=tuple(_glob(text) for text in cast("tuple[str, ...]", found.values.get("ignore", ()))),
            complete=frozenset(map(str, found.words("complete"))),
            tolerance=duration("tolerance", 0),
            reorder=duration("reorder", 5 * MINUTE),
            wait=duration("wait", HOUR),
            remember=duration("remember", DAY),
            idle=duration("idle", 7 * DAY),
        )

    def rule(self, found: Found) -> Rule | None:
        name = found.word("machine")
        if name is None or not self.known("machine", name, self.plan.machines):
            return None
        machine = home = self.plan.machines[name]
        ref = found.word("ref")
        if ref is not None:
            if not self.known(f"ref of {machine.name}", ref, machine.refs):
                return None
            machine = self.plan.machines[machine.refs[ref].machine]
        states = found.words("state")
        for state in states:
            self.known(f"state of {machine.name}", state, machine.numbers)
        taken_as = found.word("as") or (states[0] if states else None)
        if taken_as is not None:
            self.known(f"state of {machine.name}", taken_as, machine.numbers)
        event, payload = self.event(machine, found.values.get("event"))
        if (by := found.word("by")) is not None:
            self.known("actor", by, self.plan.actors)
        if not {"new", "event", "state"} & {*found.places}:
            self.fail("says-nothing", "a rule says `new`, `event` or `state`", found.place)
        return Rule(
            self.plan,
            type=found.text("type"),
            machine=home,
            id=part_of(found.values.get("id", Word("?"))),
            source=found.text("source"),
            when=tuple((_pointer(key), _texts(value)) for key, value in found.entries("when")),
            ref=str(ref) if ref is not None else None,
            time=part_of(found.values["time"]) if "time" in found.values else None,
            new=self.new(home, found) if "new" in found.values else None,
            event=event,
            payload=payload,
            by=str(by) if by is not None else None,
            states=frozenset(map(str, states)),
            shown=str(states[0]) if states else "",
            taken_as=str(taken_as) if taken_as is not None else None,
            via=self.via(machine, found),
            place=found.place,
        )

    def event(self, machine: Machine, value: object) -> tuple[str | None, Parts]:
        if value is None:
            return None, ()
        ((name, payload),) = [(value, ())] if isinstance(value, Word) else cast("tuple[tuple[Word, Entries]]", value)
        outside = {known: event for known, event in machine.events.items() if not event.internal}
        if not self.known(f"event of {machine.name}", name, outside):
            return None, ()
        return str(name), self.parts(outside[name].payload, payload, f"value of {name}")

    def new(self, machine: Machine, found: Found) -> Parts:
        if found.word("ref") is not None:
            self.fail("misplaced-key", "what a ref leads to is made by its machine, not by a line", found.places["new"])
        wanted: dict[str, Wanted] = {**machine.fields, **machine.refs}
        return self.parts(wanted, found.entries("new"), f"field or ref of {machine.name}")

    def parts(self, wanted: dict[str, Wanted] | object, entries: Entries, kind: str) -> Parts:
        declared = cast("dict[str, Wanted]", wanted)
        fitted: list[tuple[Wanted, Part]] = []
        for name, value in entries:
            if self.known(kind, name, declared):
                part, target = part_of(value), declared[name]
                timed = isinstance(target, tables.Field) and target.type.kind == "duration"
                if part.scale is not None and not timed:
                    self.fail("misplaced-key", f"`{name}` is no duration: it has no unit", part.place)
                fitted.append((target, part))
        return tuple(fitted)

    def via(self, machine: Machine, found: Found) -> tuple[tuple[str, ...], ...]:
        outside = [name for name, event in machine.events.items() if not event.internal]
        ways: list[tuple[str, ...]] = []
        for value in cast("tuple[object, ...]", found.values.get("via", ())):
            names = (value,) if isinstance(value, Word) else cast("tuple[Word, ...]", value)
            for name in names:
                self.known(f"event of {machine.name}", name, outside)
            ways.append(tuple(map(str, names)))
        return tuple(ways)


def _texts(value: object) -> frozenset[str]:
    return frozenset([str(value)] if isinstance(value, Word) else map(str, cast("tuple[str, ...]", value)))


def _glob(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)

"""The journal told again: every input given to the engine anew, and what it decides held against what was decided."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from outlast.errors import OutlastError, StoreError
from outlast.plan import Plan, under
from outlast.run import System, Terms
from outlast.run.population import Due, Population
from outlast.store.journal import decode_snapshot, event_from_json
from outlast.store.records import Decision, JsonObject
from outlast.store.world import Scribe, Turns


class Replay:
    """A system in memory that is led through a journal."""

    def __init__(self, plan: Plan, specifications: Iterable[Mapping[str, str]]) -> None:
        self.plan = plan
        self.specifications = {int(row["number"]): row for row in specifications}
        self.spec = 0
        self.system = Turns(plan, terms=Terms(), population=Population(plan, Terms().instances))
        self.scribe = Scribe(plan, 0)

    def follow(self, decisions: Iterable[Decision]) -> Iterator[tuple[list[Decision], list[Decision]]]:
        """For each turn what was decided, and what is decided now. Raises StoreError where a turn cannot be repeated."""
        passed = None
        for _, turn in groupby(decisions, key=lambda decision: decision.turn):
            stored = list(turn)
            if not self._is_ours(stored[0].spec):
                passed = stored[0]
                continue
            self._under(stored[0].spec)
            if stored[0].cause == "migrated":
                self._migrated(stored)
                yield stored, stored
                continue
            try:
                self._repeat(stored[0])
            except (OutlastError, LookupError, TypeError, ValueError, StopIteration) as error:
                raise StoreError(
                    f"turn {stored[0].turn} of `{stored[0].instance}` cannot be repeated: {error}"
                ) from error
            yield stored, self.scribe.decisions
            self.scribe.decisions = []
        if passed is not None and not self.spec:
            raise StoreError(
                f"decisions were made under another version of `{self.plan.name}`: replay them with that one"
            )

    def _is_ours(self, number: int) -> bool:
        """Whether decisions under that specification are to be told: those of other versions are passed over."""
        row = self.specifications.get(number)
        return row is not None and row["hash"] == self.plan.hash

    def _migrated(self, turn: list[Decision]) -> None:
        """Begin with what another version left: every instance as the journal has it. Raises StoreError."""
        population = Population(self.system.plan, Terms().instances)
        self.scribe.heads.clear()
        self.scribe.seen.clear()
        for decision in turn:
            snapshot = decode_snapshot(self.plan, decision.snapshot)
            population.put(snapshot)
            self.scribe.know(decision.instance, decision.version, decision.hash, snapshot)
        terms, now = self.system.terms, turn[0].at
        self.system = Turns(self.system.plan, terms=terms, population=population)
        self.system.now = now

    def _under(self, number: int) -> None:
        """Go on under the specification of that number: only readings and terms may differ from one to the next."""
        if number == self.spec:
            return
        row = self.specifications[number]
        plan = under(self.plan, json.loads(row["readings"]))
        before, self.system = (
            self.system,
            Turns(plan, terms=Terms(**json.loads(row["terms"])), population=self.system.population),
        )
        self.system.now = before.now
        self.spec, self.scribe.spec, self.scribe.plan = number, number, plan

    def _repeat(self, stored: Decision) -> None:
        system, said = self.system, stored.said
        system.now = stored.at
        about: JsonObject = {"source": stored.source, "id": stored.id} | (
            {"stamp": said["stamp"]} if "stamp" in said else {}
        )
        match stored.cause:
            case "start" if "begun" in said:
                begun = said["begun"]
                given = {
                    id_: (made["machine"], made["fields"] | made["refs"], made["state"]) for id_, made in begun.items()
                }
                self.scribe.steps(stored.turn, system.begin(given), begun=begun, **about)
            case "start":
                made = said["made"]
                steps = system.make(
                    stored.machine, stored.instance, made["fields"] | made["refs"], state=made["state"]
                ).began
                self.scribe.steps(stored.turn, steps, made=made, **about)
            case "event":
                event = event_from_json(said["event"])
                steps = system.say(stored.instance, event.name, dict(event.payload), event.by)
                self.scribe.steps(stored.turn, steps, **about)
            case "timer":
                machine = self.plan.machines[stored.machine]
                due = Due(stored.at, 0, False, machine.arrows[said["timer"]].index, stored.instance)
                self.scribe.steps(stored.turn, system.happen(due))
            case "sent":
                number, before = said["number"], system.look(stored.instance)
                item = next(item for item in before.delayed if item.turn == number)
                steps = system.happen(Due(stored.at, 0, True, number, stored.instance))
                self.scribe.sent(stored.turn, stored.at, system.without(before, item), item, steps)
            case cause:
                raise StoreError(f"`{cause}` is no input")


def replayed(plan: Plan, specifications: Iterable[Mapping[str, str]], decisions: Iterable[Decision]) -> System:
    """The system after these decisions. Raises StoreError at the first that comes out otherwise."""
    replay = Replay(plan, specifications)
    for stored, again in replay.follow(decisions):
        if [row.hash for row in stored] != [row.hash for row in again]:
            raise StoreError(f"turn {stored[0].turn} of `{stored[0].instance}` comes out otherwise")
    return replay.system

"""Running a story: what happened when, and what became of each expectation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import attrs

from outlast import model
from outlast.expr import show
from outlast.moments import format_duration
from outlast.place import Place
from outlast.plan import Plan, under, with_constants
from outlast.run.staging import Claim, Cue, Part, Stage, applies, is_default, staged
from outlast.run.steps import Step
from outlast.run.system import System
from outlast.run.terms import DEFAULT_TERMS, Terms, told
from outlast.values import frozen

Status: TypeAlias = Literal["held", "failed", "contested"]


@frozen
class Verdict:
    """What became of one expectation. `contested`: it fails, but only the default readings were promised to keep it."""

    at: int
    about: str
    wanted: str
    seen: str
    status: Status
    place: Place | None = None


@frozen(eq=False)
class Moment:
    """One step of the story as it happened; `said` is what the story did to cause it, None when time did."""

    at: int
    step: Step
    said: Cue | None = None


@frozen(eq=False)
class Run:
    """A story told under one choice of readings."""

    plan: Plan
    scenario: model.Scenario
    system: System
    moments: tuple[Moment, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed; contested expectations do not count."""
        return all(verdict.status != "failed" for verdict in self.verdicts)

    @property
    def contested(self) -> tuple[Verdict, ...]:
        """The expectations that hold under the default readings only."""
        return tuple(verdict for verdict in self.verdicts if verdict.status == "contested")


def run_scenario(
    plan: Plan,
    scenario: model.Scenario,
    *,
    readings: Mapping[str, str] | None = None,
    terms: Terms = DEFAULT_TERMS,
) -> Run:
    """Tell the story. Time counts from zero. Raises SpecError, UnknownName, RefusedInstance, LimitExceeded."""
    chosen = with_constants(under(plan, readings or {}), scenario.constants)
    return _Telling(staged(chosen, scenario), System(chosen, terms=terms)).run()


def every_reading(plan: Plan, scenario: model.Scenario, *, terms: Terms = DEFAULT_TERMS) -> tuple[Run, ...]:
    """The story under the default readings, then under each other reading of each assumption, one at a time."""
    choices: list[dict[str, str]] = [{}, *({name: reading} for name, reading in plan.alternatives)]
    return tuple(run_scenario(plan, scenario, readings=choice, terms=terms) for choice in choices)


@attrs.define(eq=False)
class _Telling:
    stage: Stage
    system: System
    moments: list[Moment] = attrs.field(factory=list)
    verdicts: list[Verdict] = attrs.field(factory=list)

    def run(self) -> Run:
        plan = self.system.plan
        cues = sorted((cue for cue in self.stage.cues if applies(cue.source.under, plan)), key=lambda cue: cue.at)
        claims = [claim for claim in self.stage.claims if applies(claim.source.under, plan)]
        self.choose(cues)
        begun = self.system.begin({part.name: (part.machine, part.values, part.state) for part in self.stage.given})
        self.record(begun, None)
        for at in sorted({cue.at for cue in cues} | {claim.source.at for claim in claims}):
            self.record(self.system.advance_to(at), None)
            while cues and cues[0].at == at:
                cue = cues.pop(0)
                self.choose(cues)
                self.act(cue)
                self.record(self.system.advance(0), None)
            for claim in claims:
                if claim.source.at == at:
                    self.judge(claim)
        return Run(plan, self.stage.scenario, self.system, tuple(self.moments), tuple(self.verdicts))

    def record(self, steps: tuple[Step, ...], cue: Cue | None) -> None:
        self.moments += [Moment(step.at, step, cue if index == 0 else None) for index, step in enumerate(steps)]

    def choose(self, ahead: list[Cue]) -> None:
        """The moments of the `within` rows that happen from now on."""
        chosen = told(cue.source for cue in ahead)
        if chosen or self.system.terms.chosen:
            self.system.terms = attrs.evolve(self.system.terms, chosen=chosen)

    def act(self, cue: Cue) -> None:
        if cue.part is not None:
            self.make(cue.part, cue)
            return
        if isinstance(cue.source, model.Happen):
            self.happened(cue.source)
            return
        say = cue.source
        assert isinstance(say, model.Say)
        by = str(say.by) if say.by else None
        step = self.system.send(str(say.name), str(say.event), cue.payload, by=by)
        self.record((attrs.evolve(step, caused=()), *step.caused), cue)
        if step.accepted == say.refused:
            seen = "accepted" if step.accepted else f"refused: {step.refusal}"
            self.judged(
                say.at, f"{say.name}: {say.event}", "refused" if say.refused else "accepted", seen, say.under, say.place
            )
        elif say.refused:
            self.judged(say.at, f"{say.name}: {say.event}", "refused", "refused", say.under, say.place)

    def happened(self, cue: model.Happen) -> None:
        """Judge whether the row did go off at its moment."""
        for moment in self.moments:
            step = moment.step
            if (moment.at, step.instance, step.cause) == (cue.at, cue.name, "timer") and cue.row == _row(step):
                return
        about = f"{cue.name}: {cue.row}"
        self.judged(cue.at, about, "happens", "does not happen then", cue.under, cue.place)

    def make(self, part: Part, cue: Cue) -> None:
        self.record(self.system.make(part.machine, part.name, part.values, state=part.state).began, cue)

    def judge(self, claim: Claim) -> None:
        source = claim.source
        if source.effects is not None:
            moments = [moment for moment in self.moments if moment.at == source.at]
            seen = [effect.name for moment in moments for effect in moment.step.effects]
            self.judged(source.at, "effects", _listed(source.effects), _listed(seen), source.under, source.place)
        if source.name is not None:
            wanted, seen_there = self.compared(claim)
            self.judged(source.at, str(source.name), wanted, seen_there, source.under, source.place)

    def compared(self, claim: Claim) -> tuple[str, str]:
        """What was claimed of an instance and what is, in the same words."""
        source = claim.source
        wanted = ["+".join(source.states)] if source.states else []
        if source.name not in self.system.world:
            return ", ".join(wanted) or "there", "no such instance"
        instance = self.system[str(source.name)]
        seen = []
        if source.states:
            there = set(source.states) <= set(instance.states)
            seen.append("+".join(source.states) if there else instance.state)
        for name, value in claim.values.items():
            type_ = instance.machine.fields[name].type
            wanted.append(f"{name} {show(value, type_)}")
            seen.append(f"{name} {show(instance.fields[name], type_)}")
        if source.deadlines is not None:
            arrows = instance.machine.arrows
            running = {arrows[timer.key].id: timer.latest for timer in instance.deadlines}
            wanted.append(_dated(dict(source.deadlines)))
            seen.append(_dated(running))
        return ", ".join(wanted), ", ".join(seen)

    def judged(self, at: int, about: str, wanted: str, seen: str, marked: model.Readings, place: Place | None) -> None:
        default = is_default(self.system.plan)
        status: Status = "held" if wanted == seen else "failed" if marked or default else "contested"
        self.verdicts.append(Verdict(at, about, wanted, seen, status, place))


def _row(step: Step) -> str:
    """The id of the row whose timer went off."""
    return (step.timer or "").partition("@")[0]


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names) or "none"


def _dated(deadlines: Mapping[str, int]) -> str:
    by_time = sorted(deadlines.items(), key=lambda item: (item[1], item[0]))
    return "deadlines " + (", ".join(f"{name} at {format_duration(at)}" for name, at in by_time) or "none")

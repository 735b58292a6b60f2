"""What a check found, as data: the form of `outlast check --json`. Its rules are those of `outlast.cli.shapes`."""

from __future__ import annotations

from outlast.cli.render.outcomes import Outcome
from outlast.cli.shapes import Data, coverage, standing
from outlast.proofs.timed.verdicts import Trace, Verdict


def data(outcome: Outcome) -> Data:
    """What a check of one system found."""
    found = outcome.found
    return {
        "asked": outcome.asked,
        "system": found.plan.name if found.plan else None,
        "readings": dict(found.plan.readings) if found.plan else {},
        "ok": outcome.ok,
        "problems": [problem.to_json() for problem in found.problems if problem.severity == "error"],
        "warnings": [problem.to_json() for problem in found.problems if problem.severity == "warning"],
        "unanswered": outcome.unanswered,
        "properties": [_proved(verdict) for verdict in outcome.verdicts],
        "scenarios": [str(story.name) for story in found.scenarios],
        "coverage": coverage(found.plan) if found.plan else [],
    }


def _proved(verdict: Verdict) -> Data:
    """What is known of a property in one composition."""
    looked = verdict.statistics
    return {
        "property": verdict.id,
        "kind": verdict.kind,
        "says": verdict.says,
        "because": list(verdict.because),
        "composition": verdict.composition,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        **standing(verdict.place),
        "trace": _trace(verdict.trace) if verdict.trace else None,
        "statistics": {
            "locations": looked.locations,
            "stands_for": looked.stands_for,
            "zones": looked.zones,
            "transitions": looked.transitions,
            "seconds": looked.seconds,
        },
    }


def _trace(trace: Trace) -> Data:
    """A run that shows it."""
    return {
        "shown": trace.shown,
        "happenings": [
            {
                "at": item.at,
                "instance": item.instance,
                "machine": item.machine,
                "cause": item.cause,
                "name": item.name,
                "payload": dict(item.payload),
                "by": item.by,
                "refusal": item.refusal,
                "changes": [
                    {
                        "instance": change.instance,
                        "machine": change.machine,
                        "before": change.before,
                        "after": change.after,
                        "fields": {name: {"before": before, "after": after} for name, before, after in change.fields},
                    }
                    for change in item.changes
                ],
            }
            for item in trace.happenings
        ],
    }

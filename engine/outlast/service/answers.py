"""The JSON forms of what the service answers. Instants and durations are integers of microseconds, instants since 1970 (UTC). Keys are only ever added."""

from __future__ import annotations

from typing import TypeAlias

from outlast.run import Explanation, Offer
from outlast.store.records import Decision, Due, OutgoingEffect, Receipt, View

Data: TypeAlias = dict[str, object]


def instance(view: View) -> Data:
    """An instance as it stands."""
    arrows = view.machine.arrows
    return {
        "instance": view.id,
        "machine": view.machine.name,
        "version": view.version,
        "state": view.state,
        "states": list(view.states),
        "fields": view.fields,
        "refs": view.refs,
        "deadlines": [
            {"transition": arrows[timer.key].id, "armed": timer.armed, "due": timer.due, "latest": timer.latest}
            for timer in view.deadlines
        ],
        "done": view.done,
    }


def decision(row: Decision) -> Data:
    """One row of the journal."""
    said = row.said
    event = said.get("event")
    return {
        "seq": row.seq,
        "instance": row.instance,
        "machine": row.machine,
        "version": row.version,
        "at": row.at,
        "stamp": row.stamp,
        "cause": row.cause,
        "input": row.is_input,
        "source": row.source,
        "id": row.id,
        "event": event
        and {name: event.get(name) for name in ("name", "by", "sender")} | {"payload": event.get("payload", {})},
        "timer": row.timer and row.timer.partition("@")[0],
        "transitions": list(row.transitions),
        "clauses": list(row.clauses),
        "states": list(row.states),
        "refusal": row.refusal,
        "faults": list(said.get("faults", ())),
        "effects": [effect(item) for item in row.effects],
        "hash": row.hash,
    }


def receipt(found: Receipt) -> Data:
    """The answer to one input: its own decision first, then what it caused."""
    return {
        "instance": found.instance,
        "version": found.version,
        "at": found.at,
        "accepted": found.accepted,
        "refusal": found.refusal,
        "repeated": found.repeated,
        "transitions": list(found.transitions),
        "clauses": list(found.clauses),
        "decisions": [decision(row) for row in found.decisions],
    }


def effect(item: OutgoingEffect) -> Data:
    """An effect."""
    return {
        "id": item.id,
        "instance": item.instance,
        "name": item.name,
        "payload": dict(item.payload),
        "at": item.at,
    }


def kept(item: OutgoingEffect, state: str) -> Data:
    """An effect, and what has become of it: how often it was tried, and why the last attempt failed."""
    return effect(item) | {"state": state, "attempts": item.attempts, "error": item.error}


def offer(item: Offer) -> Data:
    """An event that would be accepted."""
    return {
        "event": item.event,
        "transitions": list(item.transitions),
        "payload": list(item.payload),
        "by": list(item.by),
        "depends": item.depends,
    }


def explanation(found: Explanation) -> Data:
    """Why, or why not: each candidate in order, with its verdict and the parts of its guard that decided."""
    return {
        "instance": found.instance,
        "event": found.event,
        "accepted": found.accepted,
        "refusal": found.refusal,
        "candidates": [
            {
                "transition": item.id,
                "from": item.source,
                "to": list(item.targets),
                "verdict": item.verdict,
                "guard": item.guard,
                "decided": [
                    {"condition": leaf.text, "holds": leaf.holds, "saw": dict(leaf.saw)} for leaf in item.leaves
                ],
                "by": item.by,
                "clauses": list(item.because),
            }
            for item in found.candidates
        ],
        "offers": [offer(item) for item in found.offers],
        "text": str(found),
    }


def deadline(item: Due) -> Data:
    """Something that will happen by itself."""
    return {"at": item.at, "instance": item.instance, "transition": item.transition}

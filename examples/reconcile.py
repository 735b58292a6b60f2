"""A reconciler: events get lost on their way, so now and then ask the source what is true, and say what the machine does not know yet.

Ids are derived from the fact and not from the message, so a fact that is found twice is one event. If the real event comes after all, under an
id of its own, the states make it nothing or a refusal: what it says has happened already.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import attrs

import outlast

PLAN = outlast.load(Path(__file__).with_name("order.yaml"))
SAYS = {"paid": "pay", "shipped": "ship", "cancelled": "cancel"}
"""What the source calls a state -> the event that says so."""


@attrs.frozen
class Fact:
    """That the source has an order in a state, and since when, in microseconds since 1970."""

    order: str
    status: str
    since: int


def reconcile(engine: outlast.Engine, facts: Iterable[Fact]) -> list[outlast.Receipt]:
    """Say every fact that is not known yet; what became of those. To be called every few minutes."""
    said = []
    for fact in sorted(facts, key=lambda fact: fact.since):  # in the order in which they became true
        try:
            known = fact.status in engine.get(fact.order).states
        except outlast.UnknownName:  # somebody else's order, or one that is over
            continue
        if fact.status in SAYS and not known:
            id_ = f"{fact.order}/{fact.status}/{fact.since}"
            receipt = engine.send(fact.order, SAYS[fact.status], source="reconciler", id=id_, at=fact.since)
            said += [] if receipt.repeated else [receipt]
    return said

"""The task that fires timers at their deadline. It delivers nothing: effects wait for those who read and acknowledge them."""

from __future__ import annotations

import logging

from outlast.errors import OutlastError
from outlast.moments import SECOND
from outlast.service.deck import Deck

LOG = logging.getLogger("outlast.service")
LONGEST_PAUSE = 30.0
"""Seconds between attempts while the store cannot be used."""


async def fire_timers(deck: Deck) -> None:
    """Until cancelled: fire what is due, wait for the next deadline, for the bell, or for `poll` seconds."""
    failures = 0
    while True:
        mark = deck.bell.mark()
        try:
            await deck.engine.run_timers()
            due = await deck.engine.next_due()
        except OutlastError as error:
            failures += 1
            deck.failing = str(error)
            LOG.warning("timers cannot be fired: %s", error)
            await deck.bell.after(mark, min(LONGEST_PAUSE, deck.limits.poll * 2 ** min(failures, 10)))
            continue
        failures, deck.failing = 0, None
        left = deck.limits.poll if due is None else (due - deck.engine.engine.clock()) / SECOND
        await deck.bell.after(mark, max(0.0, min(deck.limits.poll, left)))

"""What most tests begin with: a store in which Acme has background sessions, and users with jobs."""

from __future__ import annotations

from pathlib import Path

from outlast.loading import load
from outlast.moments import DAY, HOUR
from outlast.plan import Plan
from outlast.store.engine import Engine

START = 20_000 * DAY
"""When the stories begin: in October 2024."""


class Clock:
    """A clock that is told what time it is."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        """Microseconds since the epoch."""
        return self.now


def opened(url: str, plan: Plan, clock: Clock | None = None, **options: object) -> Engine:
    """A store with a clock of its own."""
    return Engine.open(url, plan, clock=clock or Clock(), **options)  # type: ignore[arg-type]  # options of the same names


def settled(url: str, plan: Plan, clock: Clock | None = None, **options: object) -> Engine:
    """A store in which background sessions are on, and Ana is signed in."""
    engine = opened(url, plan, clock, **options)
    engine.create("identity-center", "acme", id="acme")
    engine.create("studio-application", "studio", id="studio")
    engine.create("studio-domain", "ds", state="tip-enabled", center="acme", application="studio", id="ds")
    engine.create("interactive-session", "ana", center="acme", id="ana")
    return engine


def machine_at(folder: Path, text: str) -> Plan:
    """The plan of one machine's file."""
    file = folder / "machine.yaml"
    file.write_text(text, "utf-8")
    return load(file)


__all__ = ["DAY", "HOUR", "START", "Clock", "machine_at", "opened", "settled"]

"""Two lamps, and somebody who watches the first: a small system with properties of one's own."""

from __future__ import annotations

from pathlib import Path

from outlast import loading
from outlast.plan import Plan

LAMP = """
machine: lamp
fields: {count: {type: int, default: 0}, limit: {type: duration, default: 5m}}
events: {press: {by: hand}, kick: {by: hand}, tune: {by: hand, payload: {to: {type: duration}}}}
states: {dark: {}, lit: {}, dim: {}, broken: {}}
transitions:
  - {id: on, from: dark, event: press, to: lit}
  - {id: off, from: lit, event: press, to: dark}
  - {id: fade, from: lit, after: limit, to: dim}
  - {id: out, from: dim, within: 2m, to: dark}
  - {id: kicked, from: [lit, dim], event: kick, to: broken}
  - {id: tune, from: dark, event: tune, do: [{set: {limit: event.to}}]}
"""
WATCHER = """
machine: watcher
refs: {lamp: lamp}
states: {calm: {}, worried: {}}
transitions:
  - {id: worry, from: calm, event: lamp.lit, to: worried}
  - {id: relax, from: worried, event: lamp.dark, to: calm}
  - {id: give-up, from: worried, after: 6m, to: calm}
"""


def planned(folder: Path, properties: str, *, also: str = "", lamp: str = LAMP) -> Plan:
    """A lamp and somebody who watches it, and a second lamp."""
    (folder / "lamp.yaml").write_text(lamp, encoding="utf-8")
    (folder / "watcher.yaml").write_text(WATCHER, encoding="utf-8")
    (folder / "system.yaml").write_text(
        f"""
system: lamps
machines: [lamp, watcher]
actors: {{hand: {{}}}}
compositions:
  two:
    given: {{lamp a: {{}}, lamp b: {{}}, watcher w: {{lamp: a}}}}
    {also}
properties:
{properties}
""",
        encoding="utf-8",
    )
    return loading.load(folder)

"""sismic: statecharts in YAML, whose guards and actions are Python text."""

from __future__ import annotations

from typing import Any

from sismic.interpreter import Interpreter
from sismic.io import import_from_yaml

from tests.bench.contender import Contender, one_by_one
from tests.bench.machine import FINAL, LIMIT, ROWS, STATES


def _text() -> str:
    lines = ["statechart:", "  name: job", f"  preamble: enabled, limit, count = True, {LIMIT}, 0"]
    lines += ["  root state:", "    name: root", "    initial: queued", "    states:"]
    for name in STATES:
        lines.append(f"      - name: {name}")
        if name in FINAL:
            lines.append("        type: final")
            continue
        lines.append("        transitions:")
        for source, event, target in ROWS:
            if source == name:
                lines += [f"          - event: {event}", f"            target: {target}"]
                if event == "reattach":
                    lines += ["            guard: enabled and count < limit", "            action: count += 1"]
    return "\n".join(lines)


_TEXT = _text()
_CHART = import_from_yaml(_TEXT)


def _new() -> Any:
    interpreter = Interpreter(_CHART)
    interpreter.execute_once()
    return interpreter


CONTENDERS = [
    Contender(
        name="sismic",
        role="peer",
        new=_new,
        run=one_by_one(lambda job: lambda event: job.queue(event).execute_once()),
        state=lambda job: str(job.configuration[-1]),
        count=lambda job: int(job.context["count"]),
        distribution="sismic",
        program="import sismic.interpreter, sismic.io",
        load=lambda: import_from_yaml(_TEXT),
    )
]

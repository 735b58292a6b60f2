"""xstate-statemachine: XState's JSON, run by its interpreter without asyncio."""

from __future__ import annotations

import json
import logging
from typing import Any

from xstate_statemachine import MachineLogic, SyncInterpreter, create_machine

from tests.bench.contender import Contender, one_by_one
from tests.bench.machine import FINAL, LIMIT, ROWS, STATES

logging.getLogger("xstate_statemachine").setLevel(logging.ERROR)


def _add(_interpreter: Any, context: Any, _event: Any, _action: Any) -> None:
    context["count"] += 1


def _may(context: Any, _event: Any) -> bool:
    return bool(context["enabled"] and context["count"] < context["limit"])


def _state(name: str) -> dict[str, Any]:
    rows = {
        event: {"target": target} | ({"guard": "may", "actions": "add"} if event == "reattach" else {})
        for source, event, target in ROWS
        if source == name
    }
    return {"type": "final"} if name in FINAL else {"on": rows}


_TEXT = json.dumps(
    {
        "id": "job",
        "initial": "queued",
        "context": {"enabled": True, "limit": LIMIT, "count": 0},
        "states": {name: _state(name) for name in STATES},
    }
)


def _load() -> Any:
    return create_machine(json.loads(_TEXT), logic=MachineLogic(actions={"add": _add}, guards={"may": _may}))


_MACHINE = _load()

CONTENDERS = [
    Contender(
        name="xstate-statemachine",
        role="peer",
        new=lambda: SyncInterpreter(_MACHINE).start(),
        run=one_by_one(lambda job: job.send),
        state=lambda job: str(next(iter(job.current_state_ids)).rpartition(".")[2]),
        count=lambda job: int(job.context["count"]),
        distribution="xstate-statemachine",
        program="import xstate_statemachine",
        load=_load,
    )
]

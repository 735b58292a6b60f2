"""The explorer of a system: one HTML file that opens from disk and asks nobody for anything.

It holds the plan's tables and the stories as JSON, the walker, the pictures as they lie in the gallery, and the page itself. A content
security policy lets it run its own script, by hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache

from outlast import model
from outlast.plan import Plan
from outlast.views.explorer.pictures import slim
from outlast.views.explorer.program import WALKER, compact, source
from outlast.views.explorer.stories import one_of_each, story_of
from outlast.views.explorer.tables import JsonObject, tables_of
from outlast.views.theme import FILLED, GLYPHS, MACHINE, ROLES, style_sheet
from outlast.views.typeset import SIZES

_SCRIPTS = (*WALKER, "source.js", "page.js", "begin.js")
_UNUSED = re.compile(r"\.(?:badge|cold|warm|was|added|removed|changed)\b")
"""Marks this page does not make."""
_HOLE = re.compile(r"{{(\w+)}}")
_TOKEN = re.compile(
    r"(?P<text>'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)| *//[^\n]*|\s*(?P<close>[)\]}]) *| *(?P<open>[{(\[,;])\s*| *(?P<sign>[:?=<>!&|+*/%-]) *",
)


def explorer(plan: Plan, scenarios: Iterable[model.Scenario] = (), pictures: Mapping[str, str] | None = None) -> str:
    """The HTML text. `pictures` are SVG texts by machine; a machine without one is shown as a list of states.

    Raises MisuseError when the walker cannot do what the plan says, SpecError when a scenario does not fit it.
    """
    stories = [story_of(plan, scenario) for scenario in scenarios if not scenario.constants] or [one_of_each(plan)]
    shown = {name: slim(text) for name, text in (pictures or {}).items() if name in plan.machines}
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = {
        "title": html.escape(plan.title or plan.name),
        "hash": f"sha256-{digest}",
        "style": _style(),
        "pictures": "\n".join(
            f'<template id="picture-{html.escape(name)}">{text}</template>' for name, text in shown.items() if text
        ),
        "data": compact(_data(plan, stories)).replace("<", "\\u003c"),
        "script": script,
    }
    return _HOLE.sub(lambda match: parts[match[1]], source("page.html"))


def _data(plan: Plan, stories: list[JsonObject]) -> JsonObject:
    numbers: dict[str, int] = {}

    def part(data: JsonObject) -> int:
        return numbers.setdefault(compact(data), len(numbers))

    told = [
        {**story, "given": list(map(part, story["given"])), "steps": [_step(step, part) for step in story["steps"]]}
        for story in stories
    ]
    roles = {
        role: {"words": words, "path": GLYPHS[role], "filled": role in FILLED}
        for role, words in ROLES.items()
        if any(state.role == role for machine in plan.machines.values() for state in machine.states)
    }
    parts = [
        [part["machine"], part["instance"], part.get("state"), part.get("fields"), part.get("refs")]
        for part in map(json.loads, numbers)
    ]
    return {"tables": tables_of(plan), "stories": told, "parts": parts, "roles": roles}


def _step(step: JsonObject, part: Callable[[JsonObject], int]) -> list[object]:
    """A step as a short list, see `told` in source.js."""
    said = step.get("send", {})
    what = part(step["new"]) if "new" in step else said.get("instance", step.get("happen"))
    values = [step["at"], what, said.get("event"), said.get("by"), said.get("payload"), step.get("under")]
    while values[-1] is None:
        values.pop()
    return values


@cache
def _script() -> str:
    """The walker and the page's own program in one, the same for every system."""
    return "(()=>{'use strict';\n" + "".join(shortened(source(name)) for name in _SCRIPTS) + "})()"


def shortened(script: str) -> str:
    """Without comments, indentation, blanks around signs, and the ends of lines after what opens and before what closes.

    For the scripts beside this file: they nest no templates, and their regular expressions hold neither quotes nor blanks.
    """
    lines = (line.strip() for line in script.splitlines())
    code = "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))
    return _TOKEN.sub(lambda match: "".join(text or "" for text in match.groups()), code)


def _style() -> str:
    """The style of the pictures, for the whole page, then the page's own."""
    sizes = "".join(f".fsm .{style}{{font-size:{size:g}px}}" for style, size in SIZES.items())
    rules = "\n".join(line for line in MACHINE.splitlines() if not _UNUSED.search(line))
    return style_sheet(rules) + sizes + source("page.css").replace("\n", "")

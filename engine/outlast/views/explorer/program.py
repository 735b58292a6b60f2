"""The walker as one JavaScript program for a system: tables, interpreter, and the protocol of conformance tables on standard input and output."""

from __future__ import annotations

import json
from importlib.resources import files

from outlast.plan import Plan
from outlast.views.explorer.tables import JsonObject, tables_of

WALKER = ("words.js", "walker.js", "why.js")
"""The interpreter, in the order in which its parts build on one another."""


def source(name: str) -> str:
    """The text of a file beside this module."""
    return (files(__package__) / name).read_text("utf-8")


def to_walker(plan: Plan) -> str:
    """The program: `node PROGRAM` answers cases. Raises MisuseError when the walker cannot do what the plan says."""
    parts = [f"'use strict';\n\nconst TABLES = {compact(tables_of(plan))};\n", *map(source, (*WALKER, "node.js"))]
    return f"// {plan.title or plan.name}: written by `outlast export {plan.name} --to walker`.\n" + "\n".join(parts)


def compact(data: JsonObject) -> str:
    """JSON without blanks."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))

"""Importing stays light: what only some users need is loaded when it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

EXTRAS = "z3 numpy numba pyarrow starlette uvicorn psycopg boto3 mcp"
RUN = "from outlast.cli import main; main({}, standalone_mode=False)"
WEB = "http urllib.request email xml.sax"
WRITING = "outlast.language.schema outlast.language.writer"
LEAVES_OUT = [  # program, what it does not load
    ("import outlast", f"typing re attrs yaml click rich graphviz transitions outlast.errors {EXTRAS}"),
    (
        "import outlast; outlast.System",
        f"yaml click rich graphviz transitions asyncio http json outlast.language outlast.plan.lint outlast.proofs {EXTRAS}",
    ),
    (
        "import outlast; outlast.load('tour')",
        f"click rich graphviz transitions asyncio outlast.proofs {WEB} {WRITING} {EXTRAS}",
    ),
    ("import outlast.pytest_plugin", f"attrs yaml click rich outlast.errors {EXTRAS}"),
    (RUN.format(["--version"]), f"rich yaml graphviz transitions outlast.model outlast.plan {EXTRAS}"),
    *(
        (
            RUN.format(words),
            f"graphviz transitions asyncio rich.progress outlast.proofs outlast.views {WEB} {WRITING} {EXTRAS}",
        )
        for words in (["list"], ["run", "one-cup"], ["explain", "tour"])
    ),
    (
        RUN.format(["check", "tour"]),
        f"graphviz transitions asyncio outlast.views outlast.proofs.conformance {WEB} {EXTRAS}",
    ),
    (
        RUN.format(["test", "--help"]),
        f"graphviz transitions asyncio outlast.views outlast.proofs.timed {WEB} {WRITING} {EXTRAS}",
    ),
    (
        RUN.format(["audit", "--help"]),
        f"graphviz transitions asyncio outlast.views outlast.proofs.timed {WEB} {EXTRAS}",
    ),
    (RUN.format(["draw", "--help"]), f"transitions asyncio outlast.proofs {WEB} {EXTRAS}"),
    (RUN.format(["store", "--help"]), f"graphviz transitions asyncio outlast.proofs outlast.views {WEB} {EXTRAS}"),
    (RUN.format(["serve", "--help"]), f"graphviz transitions asyncio outlast.proofs outlast.views {WEB} {EXTRAS}"),
]


@pytest.mark.parametrize(("program", "left_out"), LEAVES_OUT)
def test_imports_stay_light(program: str, left_out: str) -> None:
    """No program loads what it has no use for. Looked at is what it adds to a bare Python."""
    around = f"import sys; before = set(sys.modules); {program}; print(*set(sys.modules) - before, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", around], capture_output=True, text=True, check=True)

    assert sorted({*left_out.split()} & {*done.stderr.split()}) == []

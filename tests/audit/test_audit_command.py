"""`outlast audit` as one calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from outlast.cli import main
from tests.audit.logs import SAGEMAKER, as_bytes, cloud

SAMPLE = SAGEMAKER / "sample.jsonl"


def call(*words: str, columns: int = 100, given: bytes | None = None) -> tuple[int, str, str]:
    """Exit code, answer and complaint."""
    done = CliRunner().invoke(
        main, ["audit", *words], input=given, env={"COLUMNS": str(columns), "NO_COLOR": "1"}, catch_exceptions=False
    )
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("columns", [100, 72])
def test_the_sample(columns: int) -> None:
    """The log that comes with the package: findings with clauses and intervals, what became of the lines, the sum."""
    code, text, complaint = call("sagemaker", str(SAMPLE), columns=columns)

    assert (code, complaint) == (1, "")
    assert "`failed` 17m 4s after its background became expired: `grace-over` allows 15m" in " ".join(text.split())
    assert "allowed if  A-02=pin, A-15=edge" in text
    assert "line 13 says nothing: it is not JSON" in text
    assert text.endswith("3 violations, 1 contested\n")
    assert [line for line in text.splitlines() if len(line) > columns or line != line.rstrip()] == []


def test_jsonl() -> None:
    """A line of JSON for each report, the sums last."""
    code, text, _ = call("sagemaker", str(SAMPLE), "--format", "jsonl")
    data = [json.loads(line) for line in text.splitlines()]

    assert code == 1
    assert ["unreadable", "finding", "finding", "finding", "finding", "totals"] == [item["report"] for item in data]
    late = data[3]
    assert (late["kind"], late["instance"], late["line"]) == ("late", "protein-fold-17", 19)
    assert late["expected"] == {"from": "2026-03-09T09:00:00Z", "to": "2026-03-09T09:15:00Z"}
    assert data[-1]["violations"] == 3


def test_under_a_reading() -> None:
    """Under the other reading the contested finding is none."""
    _, text, _ = call("sagemaker", str(SAMPLE), "--reading", "A-02=pin")

    assert text.endswith("3 violations\n")


def test_standard_input() -> None:
    """`-` is standard input; a log nothing is wrong with gives exit code 0."""
    code, text, _ = call("sagemaker", "-", given=as_bytes([cloud("1h", "user.signed-in", user="ana")]))

    assert (code, text.splitlines()[-1]) == (0, "no violation")


MISTAKES = [  # words                                           part of the complaint
    ("nothing LOG", "no bundled system or path is called `nothing`"),
    ("tour LOG", "has no audit/*.yaml"),
    ("sagemaker missing.jsonl", "does not exist"),
    ("sagemaker LOG --reading A-02", "write it as ASSUMPTION=READING"),
    ("sagemaker LOG --format yaml", "is not one of"),
]


@pytest.mark.parametrize(("words", "part"), MISTAKES)
def test_mistakes(words: str, part: str) -> None:
    """What makes no sense is said in a line, with exit code 2."""
    code, text, complaint = call(*words.replace("LOG", str(SAMPLE)).split())

    assert (code, text) == (2, "")
    assert part in " ".join(complaint.split())


def test_a_mapping_with_problems(tmp_path: Path) -> None:
    """The problems of a mapping are told with their place and line, and exit code 1."""
    file = tmp_path / "m.yaml"
    file.write_text("audit: m\nrules:\n  - {type: t, machine: jab, id: /x, event: start}\n", "utf-8")
    code, _, complaint = call("sagemaker", str(SAMPLE), "--mapping", str(file))

    assert code == 1
    assert "m.yaml:3:24: unknown-machine: no machine is called `jab`" in complaint.replace("\n", " ")

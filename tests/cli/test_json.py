"""The data forms: parts that programs rely on, and nothing beside them on standard output."""

from __future__ import annotations

import json
from typing import Any

import pytest

from outlast.moments import DAY, MINUTE
from tests.cli.conftest import Outlast

SHAPES = [  # words                                   keys of the answer
    ("list", "systems"),
    ("list tour", "about assumptions coverage hash machines scenarios system title"),
    ("check tour", "ok systems"),
    ("run one-cup", "expectations hash moments ok readings resolve scenario system title"),
    ("run one-cup --every-reading", "contested hash ok resolve runs scenario system title"),
    ("explain tour", "about assumptions coverage hash machines scenarios system title"),
    ("explain tour coffee-machine", "subjects system"),
]

SUBJECTS = [  # a name in sagemaker                   its kind, and the keys it has beside kind, name and machine
    ("TIP-28", "clause", "cited-by line reason reference says section"),
    ("A-02", "assumption", "assumption because confidence default question readings"),
    ("grace", "constant", "type value"),
    ("user", "actor", "about"),
    ("job", "machine", "about effects events fields refs states title transitions"),
    ("job:kind", "field", "about because default max min required step type words"),
    ("job:domain", "ref", "about optional to"),
    ("job:start", "event", "about because by internal payload"),
    ("job:job-failed", "effect", "about because payload"),
    ("binds-background", "guard", "that"),
    ("grace-period", "state", "about because in out parent state type"),
    ("grace-over", "transition", "transitions"),
]


def answer(outlast: Outlast, words: str) -> Any:
    """What a command answers as data."""
    return json.loads(outlast(*words.split(), "--json").stdout)


@pytest.mark.parametrize(("words", "keys"), SHAPES, ids=[words for words, _ in SHAPES])
def test_keys(outlast: Outlast, words: str, keys: str) -> None:
    """Every answer has exactly the documented keys, and is ASCII."""
    done = outlast(*words.split(), "--json")

    assert keys.split() == sorted(json.loads(done.stdout))
    assert done.stdout.isascii()


@pytest.mark.parametrize(("name", "kind", "keys"), SUBJECTS, ids=[name for name, _, _ in SUBJECTS])
def test_subjects(outlast: Outlast, name: str, kind: str, keys: str) -> None:
    """Everything with a name can be explained as data."""
    found = answer(outlast, f"explain sagemaker {name}")["subjects"]
    subject = next(item for item in found if item["kind"] == kind)

    assert sorted({*keys.split(), "name", "machine"} | {"kind"}) == sorted(subject)


def test_a_run(outlast: Outlast) -> None:
    """A story as data: what was said, what was taken and why, what is pending, and the verdicts with their places."""
    data = answer(outlast, "run the-wait-counts")
    over = next(moment for moment in data["moments"] if "grace-over" in moment["transitions"] and moment["at"] > DAY)

    assert (over["at"], over["instance"], over["machine"]) == (7 * DAY + 15 * MINUTE, "first", "job")
    assert (over["cause"], over["timer"], over["clauses"]) == ("timer", "grace-over", ["TIP-28"])
    assert over["effects"] == [{"name": "job-failed", "payload": {"cause": "session-lost"}}]
    assert data["ok"]
    assert {"held"} == {expectation["status"] for expectation in data["expectations"]}
    assert all(expectation["file"] and expectation["line"] for expectation in data["expectations"])


def test_every_reading(outlast: Outlast) -> None:
    """The default comes first; each other run says what it reads differently."""
    data = answer(outlast, "run the-wait-counts --every-reading")
    contested = {
        str(run["changed"]) for run in data["runs"] if any(v["status"] == "contested" for v in run["expectations"])
    }

    assert data["runs"][0]["changed"] == {}
    assert all(len(run["changed"]) == 1 for run in data["runs"][1:])
    assert {str({"A-08": "does-not-count"})} == contested


def test_coverage(outlast: Outlast) -> None:
    """A check counts the clauses of each namespace by what became of them."""
    (system,) = answer(outlast, "check sagemaker")["systems"]
    counts = {space["namespace"]: len(space["cited"]) + len(space["referenced"]) for space in system["coverage"]}

    assert (list(counts), counts["TIP"]) == (["TIP", "INF"], 46)
    assert [space["open"] for space in system["coverage"]] == [[], []]

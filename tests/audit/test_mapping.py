"""Mappings: what is wrong with one is told with its place, and the schema says what the reader accepts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outlast.errors import SpecError
from outlast.proofs.audit.grammar import AUDIT_RECORDS, audit_schema_text
from outlast.proofs.audit.mapping import load_mapping
from tests.audit.logs import SAGEMAKER, mapping, plan

RULE = "  - {type: t, machine: job, id: /data/job, "

WRONG = [  # a mapping                                            code of its first problem, and where that stands
    ("audit: a\n", "missing-key: audit"),
    ("audit: a\nrules: []\n", "empty-value: []"),
    ("audit: a\nrules:\n  - {type: t, machine: jab, id: /x, event: start}\n", "unknown-machine: jab"),
    (f"audit: a\nrules:\n{RULE}event: begin}}\n", "unknown-event: begin"),
    (f"audit: a\nrules:\n{RULE}state: done}}\n", "unknown-state: done"),
    (f"audit: a\nrules:\n{RULE}state: failed, as: lost}}\n", "unknown-state: lost"),
    (f"audit: a\nrules:\n{RULE}state: failed, via: [go]}}\n", "unknown-event: go"),
    (f"audit: a\nrules:\n{RULE}state: failed, via: [[start, go]]}}\n", "unknown-event: go"),
    (f"audit: a\nrules:\n{RULE}event: start, via: [stop]}}\n", "two-events: via"),
    (f"audit: a\nrules:\n{RULE}event: start, by: nobody}}\n", "unknown-actor: nobody"),
    (f"audit: a\nrules:\n{RULE}state: failed, by: user}}\n", "misplaced-key: by"),
    (f"audit: a\nrules:\n{RULE}new: {{size: /data/size}}}}\n", "unknown-field: size"),
    (f"audit: a\nrules:\n{RULE}new: {{kind: {{at: /k, unit: s}}}}}}\n", "misplaced-key: {at"),
    (f"audit: a\nrules:\n{RULE}new: {{kind: {{at: k, unit: s}}}}}}\n", "bad-name: k, unit"),
    (f"audit: a\nrules:\n{RULE}ref: front, state: expired}}\n", "unknown-ref: front"),
    ("audit: a\nrules:\n  - {type: t, machine: job, id: /data/job}\n", "says-nothing: {type"),
    (f"audit: a\ncomplete: jobs\nrules:\n{RULE}event: start}}\n", "unknown-machine: jobs"),
    (f"audit: a\ngiven: {{job j: {{}}}}\nrules:\n{RULE}event: start}}\n", "missing-value: j: {}"),
    (f"audit: a\nadopt: {{identity-center: {{state: off}}}}\nrules:\n{RULE}event: start}}\n", "unknown-state: off"),
    (f"audit: a\ntolerance: 5\nrules:\n{RULE}event: start}}\n", "unit-missing: 5"),
]


@pytest.mark.parametrize(("text", "expected"), WRONG, ids=[expected for _, expected in WRONG])
def test_problems(tmp_path: Path, text: str, expected: str) -> None:
    """Each problem has a code and stands where the author made it."""
    file = tmp_path / "m.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(SpecError) as caught:
        load_mapping(plan(), file)
    first = caught.value.problems[0]

    assert first.place is not None
    code, word = expected.split(": ", 1)
    assert (code, word) == (first.code, text.splitlines()[first.place.line - 1][first.place.column - 1 :][: len(word)])


def test_the_bundled_mapping_covers_every_status() -> None:
    """Every status of a training job that AWS documents fits a rule."""
    rules = [rule for rule in mapping().rules if rule.type == "SageMaker Training Job State Change"]
    words = {
        word for rule in rules for pointer, words in rule.when if pointer[-1] == "TrainingJobStatus" for word in words
    }

    assert {"InProgress", "Completed", "Failed", "Stopping", "Stopped"} == words
    assert "FailureReason" not in {token for rule in rules for pointer, _ in rule.when for token in pointer}


def test_the_schema_knows_the_same_keys() -> None:
    """The JSON Schema has the keys of the grammar; the one that is kept is fresh."""
    kept = SAGEMAKER.parents[1] / "audit-schema.json"
    definitions = json.loads(audit_schema_text())["$defs"]

    assert all(
        {key.name for key in record.keys} == {*definitions[name]["properties"]}
        for name, record in AUDIT_RECORDS.items()
    )
    assert kept.read_text("utf-8") == audit_schema_text()

"""What a check found, as SARIF 2.1.0 (OASIS Standard, Errata 01): the form that code scanning reads."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias
from urllib.parse import quote

from outlast import __version__
from outlast.cli.render.outcomes import Outcome, relative, told
from outlast.place import Place
from outlast.plan.codes import meaning
from outlast.proofs.timed.verdicts import Happening, Verdict

Data: TypeAlias = dict[str, object]


def sarif(outcomes: Sequence[Outcome], exit_code: int) -> str:
    """One run with every problem, and every property that is not proved, as results."""
    results = [*_results(outcomes)]
    rules = {rule: text for rule, text, _ in results}
    numbers = {rule: number for number, rule in enumerate(rules)}
    driver = {
        "name": "Outlast",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rule, text) for rule, text in rules.items()],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True, "exitCode": exit_code}],
        "columnKind": "unicodeCodePoints",
        "results": [{"ruleId": rule, "ruleIndex": numbers[rule], **result} for rule, _, result in results],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _rule(rule: str, text: str) -> Data:
    """`shortDescription` is one sentence; `help` all there is to say."""
    text = text[0].upper() + text[1:].rstrip(".") + "."
    short = text.split(". ")[0].rstrip(".") + "."
    return {"id": rule, "shortDescription": _message(short), "help": {**_message(text), "markdown": text}}


def _results(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, str, Data]]:
    """(rule, what it means, result) for everything that is not well."""
    seen: Counter[str] = Counter()
    for outcome in outcomes:
        for problem in outcome.found.problems:
            level = "error" if problem.severity == "error" else "warning"
            words = problem.text + (f" ({problem.hint})" if problem.hint else "")
            print_ = _fingerprint(seen, problem.code, problem.place, (problem.excerpt or problem.text).strip())
            yield (
                problem.code,
                meaning(problem.code),
                {
                    "level": level,
                    "message": _message(words),
                    "locations": _locations(problem.place),
                    "partialFingerprints": print_,
                },
            )
        for verdict in outcome.verdicts:
            if not verdict.ok:
                yield f"property/{verdict.id}", verdict.says or verdict.id, _property(outcome, verdict, seen)


def _property(outcome: Outcome, verdict: Verdict, seen: Counter[str]) -> Data:
    refuted = verdict.outcome == "refuted"
    found: Data = {
        "kind": "fail" if refuted else "open",
        "level": "error" if refuted else "none",
        "message": _message(f"{verdict.id} is {verdict.outcome} in {verdict.composition}: {verdict.reason}"),
        "locations": _locations(verdict.place),
        "partialFingerprints": _fingerprint(seen, verdict.id, verdict.place, verdict.composition),
        "properties": {
            "system": outcome.name,
            "composition": verdict.composition,
            "kind": verdict.kind,
            "because": list(verdict.because),
        },
    }
    if verdict.trace:
        steps = [{"location": _step(item), "executionOrder": at} for at, item in enumerate(verdict.trace.happenings, 1)]
        found["codeFlows"] = [{"message": _message(verdict.trace.shown), "threadFlows": [{"locations": steps}]}]
    return found


def _step(item: Happening) -> Data:
    name = f"{item.machine} {item.instance}"
    return {
        "message": _message(told(item)),
        "logicalLocations": [{"fullyQualifiedName": name, "kind": "object"}],
    }


def _message(text: str) -> Data:
    """Braces are doubled: single ones hold places for arguments (3.11.5)."""
    return {"text": text.replace("{", "{{").replace("}", "}}")}


def _locations(place: Place | None) -> list[Data]:
    if place is None or not place.file:
        return []
    region = {"startLine": place.line, "startColumn": place.column} if place.line > 0 else {"startLine": 1}
    return [{"physicalLocation": {"artifactLocation": {"uri": _uri(place.file)}, "region": region}}]


def _uri(file: str) -> str:
    """Relative to where we are, if it is below; viewers find such a file in any checkout."""
    path = relative(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _fingerprint(seen: Counter[str], rule: str, place: Place | None, text: str) -> dict[str, str]:
    """The same for the same problem when lines above it come and go: made of rule, file and the line's own text."""
    file = _uri(place.file) if place and place.file else ""
    digest = hashlib.sha256(f"{rule}\n{file}\n{text}".encode()).hexdigest()[:24]
    seen[digest] += 1
    return {"outlast/v1": f"{digest}:{seen[digest]}"}

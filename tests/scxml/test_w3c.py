"""The W3C's own tests, one item per file, held against the expectation file. `python -m tests.scxml.suite` reports by section."""

from __future__ import annotations

import pytest

from tests.scxml.suite import Case, cases, exempt, expectations, run

CASES = cases()
AUTOMATIC = [case for case in CASES if not case.manual]

pytestmark = pytest.mark.skipif(not CASES, reason="the W3C's suite is not beside the checkout: shared/suites/w3c-scxml")


@pytest.mark.parametrize("case", AUTOMATIC, ids=lambda case: case.id)
def test_automatic(case: Case) -> None:
    """The machine ends in `pass`; a test that does so must not be listed as an exception."""
    outcome = run(case)
    reason = exempt("not-applicable").get(case.id)
    failure = exempt("known-failure").get(case.id)

    assert (outcome.state == "pass") == (reason is None and failure is None), outcome
    if reason is not None:
        assert outcome.error is not None, "what is not applicable is refused with a reason, not run wrongly"
        assert all(problem.place and problem.place.line for problem in outcome.error.problems)


@pytest.mark.parametrize("id_", sorted(expectations()["ends"]))
def test_manual(id_: str) -> None:
    """A test that a person would judge by its log ends where it should, having logged what it should."""
    (case,) = [case for case in CASES if case.id == id_]
    wanted, outcome = expectations()["ends"][id_], run(case)

    assert outcome.state == wanted["in"]
    for words in wanted["log"]:
        assert any(words in line for line in outcome.log), outcome.log


@pytest.mark.parametrize("id_", sorted(expectations()["refused"]))
def test_refused(id_: str) -> None:
    """A document that must be rejected is."""
    (case,) = [case for case in CASES if case.id == id_]
    error = run(case).error

    assert error is not None
    assert [problem.code for problem in error.problems] == [expectations()["refused"][id_]]


def test_every_file_is_accounted_for() -> None:
    """161 mandatory automatic files pass, and whatever is excepted exists and has a reason."""
    named = {*exempt("not-applicable"), *exempt("known-failure"), *expectations()["ends"], *expectations()["refused"]}
    assert named <= {case.id for case in CASES}
    assert sum(case.mandatory for case in AUTOMATIC) == 161
    assert not {case.id for case in AUTOMATIC if case.mandatory} & named
    assert all(reason for kind in ("not-applicable", "known-failure") for reason in exempt(kind).values())


def test_saving_at_every_instant_changes_nothing() -> None:
    """Every mandatory test also passes if its system is saved and restored wherever time passes."""
    assert [case.id for case in AUTOMATIC if case.mandatory and run(case, saving=True).state != "pass"] == []


@pytest.mark.parametrize("id_", ["313", "314"])
def test_manual_with_a_verdict(id_: str) -> None:
    """Two tests are manual only because an error may be told at another time; they say `pass` themselves."""
    (case,) = [case for case in CASES if case.id == id_]

    assert run(case).state == "pass"

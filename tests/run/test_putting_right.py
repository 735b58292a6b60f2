"""A system made to agree with what was seen: a timer goes off now, an instance begins again in a state, or is forgotten."""

from __future__ import annotations

import pytest

import outlast
from outlast.errors import MisuseError, UnknownName
from outlast.run import System


def a_job_in_grace() -> System:
    """Job `train`, an hour after its background session was taken away; its user is signed in."""
    system = System(outlast.load("sagemaker"))
    system.add("identity-center", "acme")
    system.add("studio-application", "studio")
    system.add("studio-domain", "ds", state="tip-enabled", center="acme", application="studio")
    system.add("interactive-session", "ana", state="signed-in", center="acme")
    system.add("job", "train", kind="training", domain="ds", session="ana")
    system.send("train", "start")
    system.advance("1h")
    system.send("train.background", "revoke")
    return system


def test_a_timer_goes_off_now() -> None:
    """As if it had been due: the row is taken, and nothing is left of the timer."""
    system = a_job_in_grace()
    (key,) = (timer.key for timer in system["train"].deadlines)
    steps = system.hasten("train", key)

    assert [step.taken for step in steps if step.instance == "train"] == [("grace-over",)]
    assert (system["train"].state, system.now, system["train"].deadlines) == ("failed", 3_600_000_000, ())
    assert system.advance("1h") == ()


def test_a_timer_that_does_not_run() -> None:
    """There is nothing to go off."""
    with pytest.raises(MisuseError, match="no timer of `max-runtime` is running in `train`"):
        a_job_in_grace().hasten("train", "max-runtime")


def test_an_instance_begins_again() -> None:
    """In the state that is said, with its fields and refs, without its children; who observes it hears of it."""
    system = a_job_in_grace()
    system.reset("train", "running-interactive")

    assert (system["train"].state, system["train"].fields["kind"]) == ("running-interactive", "training")
    assert system["train"].refs == {"domain": "ds", "session": "ana", "background": None}
    assert "train.background" not in system.world

    system.reset("ana", "signed-out")

    assert system["train"].state == "grace-period"


def test_an_unknown_state_changes_nothing() -> None:
    """All of it happens, or nothing."""
    system = a_job_in_grace()
    before = system.snapshot()
    with pytest.raises(UnknownName):
        system.reset("train", "lost")

    assert before == system.snapshot()


def test_an_instance_is_forgotten() -> None:
    """With its children and all that is pending; the others neither hear of it nor keep anything of it."""
    system = a_job_in_grace()
    system.remove("train")

    assert [instance.id for instance in system.instances] == ["acme", "studio", "ds", "ana"]
    assert {step.instance for step in system.advance("30d")} == {"ana"}
    assert "train.background" not in system._population.watchers.referrers

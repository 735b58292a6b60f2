"""What an engine answers, the same on every backend."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from outlast.errors import (
    IdempotencyError,
    InstanceExists,
    InstanceGone,
    MisuseError,
    OutdatedError,
    RefusedInstance,
    UnknownName,
)
from outlast.plan import Plan
from outlast.run import System
from outlast.store.engine import Engine
from outlast.store.records import Said
from tests.store.people import DAY, HOUR, START, Clock, opened, settled


def test_a_job_outlives_its_user(url: str, sagemaker: Plan) -> None:
    """The first story, told through a store that is closed and opened between any two events."""
    with settled(url, sagemaker) as engine:
        engine.create("job", "train", domain="ds", session="ana", kind="training", max_runtime="28d")
    for name, event, by, at in (
        ("train", "start", None, 0),
        ("ana", "sign-out", "user", HOUR),
        ("train", "finish", None, 6 * DAY),
    ):
        with opened(url, sagemaker, Clock(START + at)) as engine:
            assert engine.send(name, event, by=by).accepted
    with opened(url, sagemaker) as engine:
        history = engine.history("train")

        assert [(decision.at - START, *decision.transitions) for decision in history] == [
            (0,),
            (0, "start-background"),
            (HOUR, "outlives-user"),
            (6 * DAY, "finish"),
        ]
        assert engine.get("train").state == "completed"
        assert engine.verify().ok


def test_a_receipt_says_what_a_step_says(url: str, sagemaker: Plan) -> None:
    """Transitions, clauses, effects, deadlines and what was caused are those of the same step in memory."""
    with settled(url, sagemaker) as engine:
        engine.create("job", "train", domain="ds", session="ana", kind="training", max_runtime="1d")
        receipt = engine.send("train", "start")
    system = System(sagemaker, now=START)
    center, studio = system.add("identity-center", "acme"), system.add("studio-application", "studio")
    domain = system.add("studio-domain", "ds", state="tip-enabled", center=center, application=studio)
    ana = system.add("interactive-session", "ana", center=center)
    step = system.send(
        system.add("job", "train", domain=domain, session=ana, kind="training", max_runtime="1d"), "start"
    )

    assert receipt.accepted
    assert receipt.transitions == step.taken
    assert receipt.clauses == step.clauses
    assert [(effect.name, tuple(effect.payload.items())) for effect in receipt.effects] == [
        (effect.name, effect.payload) for effect in step.effects
    ]
    assert receipt.decision.deadlines == {timer.key: timer.due for timer in step.deadlines}
    assert receipt.version == 2


def test_the_same_id_gets_the_first_answer(url: str, sagemaker: Plan) -> None:
    """A repeat changes nothing, whatever has happened since."""
    with settled(url, sagemaker) as engine:
        first = engine.send("ana", "sign-out", by="user", source="portal", id="7")
        engine.send("ana", "sign-in", by="user", source="portal", id="8")
        again = engine.send("ana", "sign-out", by="user", source="portal", id="7", at=START + DAY)

        assert (again, first.repeated, again.repeated) == (first, False, True)
        assert engine.get("ana").state == "signed-in"
        assert engine.create("interactive-session", "ana", center="acme", id="ana").repeated


def test_an_id_is_its_sources(url: str, sagemaker: Plan) -> None:
    """Two senders may count alike."""
    with settled(url, sagemaker) as engine:
        engine.send("ana", "sign-out", source="portal", id="1")

        assert not engine.send("ana", "sign-in", source="console", id="1").repeated


@pytest.mark.parametrize(
    ("instance", "event", "by"),
    [("ana", "sign-in", "user"), ("acme", "disable-background", "user"), ("ana", "sign-out", None)],
)
def test_an_id_is_used_once(url: str, sagemaker: Plan, instance: str, event: str, by: str | None) -> None:
    """Something else under an id that was answered is a mistake of the sender, and says so."""
    with settled(url, sagemaker) as engine:
        engine.send("ana", "sign-out", by="user", id="1")

        with pytest.raises(IdempotencyError, match="the id `1` was used for something else"):
            engine.send(instance, event, by=by, id="1")


def test_the_same_fact_under_two_ids(url: str, sagemaker: Plan) -> None:
    """Some senders tell one change several times, each with an id of its own: the state makes the second one nothing."""
    with settled(url, sagemaker) as engine:
        engine.create("job", "train", domain="ds", session="ana", kind="training")
        engine.send("train", "start")
        first, second = (engine.send("train", "finish", id=id_) for id_ in ("a", "b"))

        assert (first.accepted, second.accepted) == (True, False)
        assert second.refusal == "`train` is done"
        assert [effect.name for effect in engine.effects()] == ["credentials"]


def test_a_refusal_is_an_answer(url: str, sagemaker: Plan) -> None:
    """It is journalled, explained later, and repeated to who asks again."""
    with settled(url, sagemaker) as engine:
        receipt = engine.send("ana", "renew", by="user", id="r")

        assert receipt.refusal == "`user` may not send it, only `service` may (TIP-39)"
        assert engine.history("ana")[-1].refusal == receipt.refusal
        assert engine.explain("ana").refusal == receipt.refusal
        assert engine.send("ana", "renew", by="user", id="r") == receipt


def test_expecting_a_version(url: str, sagemaker: Plan) -> None:
    """Who has seen an older version is told, and nothing happens."""
    with settled(url, sagemaker) as engine:
        version = engine.get("ana").version
        engine.send("ana", "sign-out", expect=version)

        with pytest.raises(OutdatedError, match="`ana` is at version 2, not 1"):
            engine.send("ana", "sign-in", expect=version)
        assert engine.get("ana").version == 2


def test_a_batch_is_one_by_one(url: str, sagemaker: Plan) -> None:
    """Events in one transaction get the answers they would get alone, repeats among them included."""
    with settled(url, sagemaker) as engine:
        engine.create("job", "train", domain="ds", session="ana", kind="training", max_runtime="1h")
        said = [
            Said("train", "start", id="1", at=START),
            Said("ana", "sign-out", by="user", id="2", at=START + HOUR // 2),
            Said("train", "start", id="1", at=START),
            Said("train", "finish", id="3", at=START + 2 * HOUR),
        ]
        receipts = engine.send_many(said)

        assert [receipt.accepted for receipt in receipts] == [True, True, True, False]
        assert [receipt.repeated for receipt in receipts] == [False, False, True, False]
        assert engine.history("train")[-2].transitions == ("max-runtime",)
        assert engine.send_many(said) == receipts
        assert engine.verify().ok


def test_a_batch_is_all_or_nothing(url: str, sagemaker: Plan) -> None:
    """A mistake in the middle undoes what was before it."""
    with settled(url, sagemaker) as engine:
        head = engine.head()
        with pytest.raises(UnknownName, match="no event of interactive-session is called `sign-of`"):
            engine.send_many([Said("ana", "sign-out"), Said("ana", "sign-of")])

        assert engine.head() == head
        assert engine.get("ana").state == "signed-in"


MISTAKES: list[tuple[Callable[[Engine], object], type[Exception], str]] = [
    (lambda engine: engine.create("jbo", "x"), UnknownName, "no machine is called `jbo` (did you mean `job`?)"),
    (
        lambda engine: engine.create("job", "x", kind="training"),
        RefusedInstance,
        "`x` needs an instance for its ref `domain`, `session`",
    ),
    (
        lambda engine: engine.create("interactive-session", "x", center="acmee"),
        UnknownName,
        "no instance is called `acmee`",
    ),
    (
        lambda engine: engine.create("interactive-session", "ana", center="acme"),
        InstanceExists,
        "an instance called `ana` is already there",
    ),
    (
        lambda engine: engine.create("interactive-session", "a\nb", center="acme"),
        MisuseError,
        "an instance is called by 1 to 500",
    ),
    (lambda engine: engine.send("anna", "sign-out"), UnknownName, "no instance is called `anna`"),
    (lambda engine: engine.send("ana", "sign-out", by="cat"), UnknownName, "no actor is called `cat`"),
    (
        lambda engine: engine.send("ana", "sign-out", at=True),
        MisuseError,
        "an instant is a number of microseconds since 1970, not True",
    ),
    (
        lambda engine: engine.send("ana", "sign-out", at=-1),
        MisuseError,
        "an instant is a number of microseconds since 1970, not -1",
    ),
    (lambda engine: engine.get("anna"), UnknownName, "no instance is called `anna`"),
    (lambda engine: engine.history("anna"), UnknownName, "no instance is called `anna`"),
    (lambda engine: engine.explain("ana", version=9), UnknownName, "no decision is called `ana version 9`"),
    (lambda engine: engine.deliver({"credentials": print}), MisuseError, "nobody handles the effect `"),
    (
        lambda engine: engine.deliver({"*": print, "x": print}),
        MisuseError,
        "no machine of `sagemaker` has an effect `x`",
    ),
]


def test_mistakes_are_told_and_leave_no_trace(url: str, sagemaker: Plan) -> None:
    """Every mistake of a caller is an error in words, and nothing of it is stored."""
    with settled(url, sagemaker) as engine:
        head = engine.head()
        for mistake, kind, text in MISTAKES:
            with pytest.raises(kind) as caught:
                mistake(engine)
            assert text in str(caught.value)

        assert engine.head() == head


def test_a_step_can_be_explained_long_after(url: str, sagemaker: Plan) -> None:
    """Why a decision went as it did is told from the journal, with the values of that time."""
    with settled(url, sagemaker) as engine:
        engine.create("job", "train", domain="ds", session="ana", kind="training")
        engine.send("ana", "sign-out")
        refused = engine.send("train", "start")
        engine.send("ana", "sign-in")
        engine.send("train", "start")
        told = engine.explain("train", version=refused.version)

        assert told.refusal == refused.refusal == "nobody is signed in, so there is no session to start the job on"
        assert "session is signed-out" in str(told)
        assert engine.explain("train", "finish").accepted
        assert [offer.event for offer in engine.enabled("train")] == ["write-checkpoint", "finish", "fail", "stop"]


def test_settings_reach_everybody(url: str, sagemaker: Plan) -> None:
    """What changes in the commons reaches every job that observes it, in one transaction; later ones see it."""
    with settled(url, sagemaker) as engine:
        for number in range(20):
            engine.create("interactive-session", f"user-{number}", center="acme")
            engine.create("job", f"job-{number}", domain="ds", session=f"user-{number}", kind="training")
        engine.send_many([Said(f"job-{number}", "start") for number in range(10)])
        receipt = engine.send("acme", "disable-background", by="administrator")
        late = engine.send("job-15", "start")

        kept = [decision.instance for decision in receipt.caused if decision.transitions == ("ubs-off-kept",)]
        assert kept == [f"job-{number}" for number in range(10)]
        assert late.transitions == ("start-interactive",)
        assert engine.verify().ok


def test_a_child_that_ended_is_history(url: str, sagemaker: Plan) -> None:
    """It cannot be spoken to, its decisions remain, and its id goes on counting if it is ever used again."""
    with settled(url, sagemaker) as engine:
        engine.create("job", "train", domain="ds", session="ana", kind="training")
        engine.send("train", "start")
        engine.send("train", "finish")

        for ask in (
            engine.get,
            engine.enabled,
            lambda name: engine.explain(name, "revoke"),
            lambda name: engine.send(name, "revoke"),
        ):
            with pytest.raises(InstanceGone, match=r"there is no instance `train\.background` any more"):
                ask("train.background")
        assert engine.history("train.background")[-1].cause == "stop"
        again = engine.create("background-session", "train.background", duration="1d")
        assert again.version == engine.history("train.background")[-1].version > 2
        assert engine.verify().ok


def test_decisions_are_plain_data(url: str, sagemaker: Plan) -> None:
    """The journal can be read without a plan: everything is JSON, by name."""
    with settled(url, sagemaker) as engine:
        engine.send("ana", "sign-out", by="user", source="portal", id="1", at=START + HOUR)
        decision = engine.decisions()[-1]

        assert json.loads(decision.body) == {
            "stamp": START + HOUR,
            "event": {"name": "sign-out", "by": "user"},
            "microsteps": [["sign-out", ["sign-out"], ["signed-in"], ["signed-out"]]],
            "transitions": ["sign-out"],
            "clauses": ["TIP-29", "TIP-36"],
            "others": [["acme", 1]],
        }
        assert json.loads(decision.snapshot)["configuration"] == ["signed-out"]

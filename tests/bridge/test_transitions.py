"""What people who use `transitions` expect of their object holds when a plan drives it."""

from __future__ import annotations

import doctest
import gc
import importlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transitions import MachineError
from transitions.extensions import HierarchicalMachine

from outlast import MisuseError, Plan, System, UnknownName, load, under
from outlast.bridge.transitions import Live, Refused, attach, attach_to, follow
from outlast.moments import HOUR

SAGEMAKER, TCP, TOUR = load("sagemaker"), load("tcp"), load("tour")


class Thing:
    """Anybody's object: what `transitions` puts on it is known only at run time."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


class Diary(Thing):
    """Writes down every callback it is given, with the state it is in."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        """One line."""
        self.lines.append(f"{line}: {self.state}")

    def on_enter_making(self) -> None:
        """Of a parallel state."""
        self.write("enter making")

    def on_exit_making(self) -> None:
        """Of a parallel state."""
        self.write("exit making")

    def on_enter_on(self) -> None:
        """Of a composite state."""
        self.write("enter on")

    def on_exit_off(self) -> None:
        """Of a state at the top."""
        self.write("exit off")

    def on_enter_ready(self) -> None:
        """Of a child, by its own name."""
        self.write("enter ready")

    def on_enter_on_pouring(self) -> None:
        """Of a child, by its path."""
        self.write("enter pouring, by its path")

    def on_final_making(self) -> None:
        """When all regions are done."""
        self.write("making is done")

    def on_effect_coffee_ready(self, beans_left: int) -> None:
        """What the machine tells its service."""
        self.write(f"coffee, {beans_left} left")


class Stage:
    """The cast of a job, each on an object of its own."""

    def __init__(self, plan: Plan = SAGEMAKER, **options: Any) -> None:
        self.center, self.studio, self.domain, self.ana, self.job = Thing(), Thing(), Thing(), Thing(), Thing()
        self.system = System(plan)
        self.faces = [
            attach(self.center, plan, "identity-center", system=self.system, id_="acme", background_duration="7d"),
            attach(self.studio, plan, "studio-application", system=self.system, id_="studio"),
            attach(
                self.domain,
                plan,
                "studio-domain",
                id_="ds",
                state="tip-enabled",
                center=self.center,
                application=self.studio,
                system=self.system,
            ),
            attach(self.ana, plan, "interactive-session", system=self.system, id_="ana", center=self.center),
        ]
        self.machine = attach(
            self.job, plan, "job", id_="train", kind="training", domain=self.domain, session=self.ana, **options
        )


def test_the_example() -> None:
    """The docstring says the truth."""
    module = importlib.import_module("outlast.bridge.transitions")

    assert doctest.testmod(module).failed == 0


# ---- the face


@pytest.mark.parametrize(
    ("plan", "machine", "start", "separator", "shown"),
    [
        (TCP, "endpoint", "closed", ".", "closed"),
        (TCP, "endpoint", "fin-wait-1", ".", "synchronized.fin_sent.fin_wait_1"),
        (TCP, "endpoint", "fin-wait-1", "/", "synchronized/fin_sent/fin_wait_1"),
        (TOUR, "coffee-machine", "making", ".", ["on.making.hopper.grinding", "on.making.boiler.heating"]),
    ],
)
def test_the_state(plan: Plan, machine: str, start: str, separator: str, shown: object) -> None:
    """A path, or a list of them, as the library writes it."""
    system, thing = System(plan), Thing()
    refs = {"peer": "endpoint"} if machine == "endpoint" else {}
    live = attach(thing, plan, machine, state=start, separator=separator, system=system, **refs)

    assert thing.state == shown
    assert isinstance(live, HierarchicalMachine)
    assert live.model is thing


def test_questions() -> None:
    """`is_…` by the state's own name and by its path, leaves only unless substates are allowed; `may_…`."""
    stage = Stage()
    job = stage.job
    job.start()

    assert job.state == "executing.running.running_background"
    assert job.is_running_background() is True
    assert job.is_executing.running.running_background() is True
    assert job.is_running() is False
    assert job.is_running(allow_substates=True) is True
    assert job.is_executing(allow_substates=True) is True
    assert job.is_pending() is False
    assert stage.machine.is_state("running_background", job)
    assert (job.may_start(), job.may_finish(), job.may_trigger("stop"), job.may_trigger("nonsense")) == (
        *(False, True, True, False),
    )
    assert "finish" in stage.machine.get_triggers(job.state)
    assert "start" not in stage.machine.get_triggers(job.state)
    rows = stage.machine.get_transitions("finish", "executing.grace_period")
    assert [transition.dest for transition in rows] == ["completed"]


def test_a_payload_and_an_actor() -> None:
    """Values are keywords, durations are written as anywhere; `by` names the actor."""
    stage = Stage()
    center = stage.center

    assert center.set_background_duration(duration="1h", by="administrator") is True
    assert center.may_set_background_duration() is True
    assert center.may_set_background_duration(duration="1m") is False
    assert center.set_background_duration(duration=timedelta(hours=2)) is True
    assert stage.system["acme"].fields["background-duration"] == 2 * HOUR
    with pytest.raises(Refused, match="from 15m to 90d"):
        center.set_background_duration(duration="1m")
    with pytest.raises(Refused, match="may not send it"):
        center.disable_background(by="user")
    with pytest.raises(UnknownName, match="no value of the event"):
        center.set_background_duration(length="1h")
    with pytest.raises(MisuseError, match="not a duration"):
        center.set_background_duration(duration="soon")


def test_a_refusal_explains_itself() -> None:
    """A MachineError whose text is the explanation, or False for those who asked for silence."""
    stage = Stage()
    with pytest.raises(MachineError) as caught:
        stage.job.finish()

    assert str(caught.value).startswith("`finish` at `train`: refused: nothing listens for it here\n")
    assert "accepted now: start, stop" in str(caught.value)
    assert str(stage.machine.explain("finish")) == str(caught.value)
    assert Stage(ignore_invalid_triggers=True).job.finish() is False
    with pytest.raises(AttributeError, match="Do not know event named 'nonsense'"):
        stage.job.trigger("nonsense")
    assert Stage(ignore_invalid_triggers=True).job.trigger("nonsense") is False
    with pytest.raises(UnknownName, match="no trigger"):
        stage.machine.explain("nonsense")


def test_states_are_not_entered_from_outside() -> None:
    """No `to_…`, and `to` says why."""
    job = Stage().job

    assert not hasattr(job, "to_failed")
    with pytest.raises(MachineError, match="cannot be entered"):
        job.to("failed")


@pytest.mark.parametrize(
    ("given_", "error", "text"),
    [
        ({"bean": 1}, UnknownName, "did you mean `beans`"),
        ({"beans": 11}, MisuseError, "from 0 to 10"),
        ({"state": "on.ready"}, UnknownName, "no state"),
        ({"separator": ""}, MisuseError, "cannot separate"),
        ({"separator": "_"}, MisuseError, "cannot separate"),
        ({"system": System(TCP)}, MisuseError, "different systems or plans"),
    ],
)
def test_misuse(given_: dict[str, Any], error: type[Exception], text: str) -> None:
    """Told at once."""
    with pytest.raises(error, match=text):
        attach(Thing(), TOUR, "coffee-machine", **given_)


def test_other_misuse() -> None:
    """An unknown machine or option, a ref to nothing, a second object on one machine."""
    with pytest.raises(UnknownName, match="no machine"):
        attach(Thing(), TOUR, "tea-machine")
    with pytest.raises(MisuseError, match="needs an attached object"):
        attach(Thing(), TCP, "application", connection=Thing())
    system = System(TOUR)
    with pytest.raises(UnknownName, match="no option"):
        attach_to(Thing(), system.add("coffee-machine", "kitchen"), beans=1)
    with pytest.raises(MisuseError, match="drives one object"):
        attach(Thing(), TOUR, "coffee-machine").add_model(Thing())
    twice = Thing()
    attach(twice, TOUR, "coffee-machine")
    with pytest.raises(MisuseError, match="is attached already"):
        attach(twice, TOUR, "coffee-machine")


# ---- callbacks


def test_callbacks_by_name() -> None:
    """Exits before the change, entries after it, each with the state of its moment; finals and effects too."""
    diary = Diary()
    attach(diary, TOUR, "coffee-machine")
    diary.switch()
    diary.press()
    diary.advance("1m")
    making = "['on.making.hopper.grinding', 'on.making.boiler.heating']"

    assert diary.lines == [
        "exit off: off",
        "enter on: on.ready",
        "enter ready: on.ready",
        f"enter making: {making}",
        "making is done: ['on.making.hopper.ground', 'on.making.boiler.hot']",
        "exit making: ['on.making.hopper.ground', 'on.making.boiler.hot']",
        "enter pouring, by its path: on.pouring",
        "enter ready: on.ready",
        "coffee, 1 left: on.ready",
    ]


def test_callbacks_of_the_machine() -> None:
    """`before_…`, `after_…`, `on_enter_…` of the machine, and its options, in the library's order."""
    seen: list[str] = []

    def told(word: str) -> Any:
        return lambda *_args, **_kwargs: seen.append(word)

    thing = Thing()
    machine = attach(
        thing,
        TOUR,
        "coffee-machine",
        prepare_event=told("prepare"),
        before_state_change=told("before any"),
        after_state_change=told("after any"),
        finalize_event=told("finalize"),
    )
    machine.before_switch(told("before switch"))
    machine.after_switch(told("after switch"))
    machine.on_enter_ready(told("enter ready"))
    machine.on_exit("off", told("exit off"))
    thing.switch()

    assert seen == [
        *("prepare", "before any", "before switch", "exit off"),
        *("enter ready", "after switch", "after any", "finalize"),
    ]


def test_arguments_reach_the_callbacks() -> None:
    """As they are, or wrapped in event data."""
    seen: list[object] = []
    plain, wrapped = Thing(), Thing()
    attach(plain, TOUR, "coffee-machine", beans=0).after_fill(lambda *args, **kwargs: seen.append((args, kwargs)))
    attach(wrapped, TOUR, "coffee-machine", beans=0, send_event=True).after_fill(
        lambda data: seen.append((data.event.name, data.kwargs, data.model is wrapped, data.transition.dest))
    )
    plain.fill("from a bag", cups=3)
    wrapped.fill(cups=4)

    assert seen == [(("from a bag",), {"cups": 3}), ("fill", {"cups": 4}, True, None)]


@pytest.mark.parametrize(
    ("where", "state"),
    [("before_switch", "off"), ("on_exit_off", "off"), ("on_enter_ready", "on.ready"), ("after_switch", "on.ready")],
)
def test_a_callback_that_raises(where: str, state: str) -> None:
    """Before the change nothing has happened; after it, it has. The object says which, and can be used on."""
    thing = Thing()
    machine = attach(thing, TOUR, "coffee-machine")

    def fails() -> None:
        raise RuntimeError(where)

    getattr(machine, where)(fails)
    with pytest.raises(RuntimeError, match=where):
        thing.switch()

    assert thing.state == state
    assert machine.instance.state == state.rpartition(".")[2]
    assert thing.lift_tank() if state != "off" else not thing.may_lift_tank()


def test_on_exception() -> None:
    """Handled by whom the library would have handle it."""
    seen: list[object] = []
    thing = Thing()
    machine = attach(thing, TOUR, "coffee-machine", send_event=True, on_exception=lambda data: seen.append(data.error))
    thing.press()

    assert isinstance(seen[0], MachineError)
    assert machine.instance.state == "off"


@pytest.mark.parametrize("queued", [False, True])
def test_a_trigger_inside_a_callback(queued: bool) -> None:
    """At once, or when the outer one is over; either way no state is shown after a later one."""
    thing, seen = Thing(), list[str]()
    machine = attach(thing, TOUR, "coffee-machine", queued=queued)

    def press() -> None:
        seen.append(f"switched on: {thing.state}")
        assert thing.press() is True
        seen.append(f"pressed: {thing.is_making(allow_substates=True)}")

    machine.on_enter_ready(press)
    machine.after_switch(lambda: seen.append("after switch"))
    machine.after_press(lambda: seen.append("after press"))
    thing.switch()

    middle = (
        ["pressed: False", "after switch", "after press"]
        if queued
        else ["after press", "pressed: True", "after switch"]
    )
    assert seen == ["switched on: on.ready", *middle]
    assert thing.is_making(allow_substates=True)


def test_a_callback_that_changes_the_world() -> None:
    """The event is decided when it happens, not when it was foreseen."""
    stage = Stage()
    stage.machine.before_start(stage.ana.sign_out)
    with pytest.raises(Refused, match="nobody is signed in"):
        stage.job.start()

    assert stage.job.state == "pending"


def test_own_methods_stay() -> None:
    """A method the object already has is not replaced, as in the library."""

    class Own(Thing):
        def switch(self) -> str:
            return "mine"

    own = Own()
    attach(own, TOUR, "coffee-machine")

    assert own.switch() == "mine"
    assert own.trigger("switch") is True


def test_another_attribute() -> None:
    """The library's option works."""
    thing = Thing()
    attach(thing, TOUR, "coffee-machine", model_attribute="mood")
    thing.switch()

    assert thing.mood == "on.ready"


# ---- time, and others


def test_time_and_other_objects() -> None:
    """One object's event moves another one; time moves all."""
    stage, seen = Stage(), list[str]()
    stage.machine.on_enter_grace_period(lambda: seen.append(f"grace {stage.job.state}"))
    stage.center.disable_background()
    stage.job.start()
    assert stage.job.state == "executing.running.running_interactive"
    stage.ana.sign_out()
    assert (stage.ana.state, stage.job.state, seen) == (
        "signed_out",
        "executing.grace_period",
        ["grace executing.grace_period"],
    )
    stage.center.advance("15m")
    assert stage.job.state == "failed"


def test_fire_due() -> None:
    """Time as an instant, for those who have a clock."""
    thing = Thing()
    machine = attach(thing, TOUR, "coffee-machine", system=System(TOUR, now=0))
    thing.switch()
    thing.fire_due(datetime(1970, 1, 1, 0, 14, 59, tzinfo=UTC))
    assert thing.state == "on.ready"
    thing.fire_due(datetime(1970, 1, 1, 0, 15))  # noqa: DTZ001  # without an offset it is UTC
    assert thing.state == "off"
    assert machine.fire_due(HOUR) == ()
    with pytest.raises(MisuseError, match="backwards"):
        thing.fire_due(0)


def test_a_spawned_child() -> None:
    """It can have a face too; when it is gone it hears nothing any more."""
    stage, session = Stage(), Thing()
    face = attach_to(session, stage.system["train.background"])
    assert (session.state, session.may_end()) == ("active", True)
    stage.job.stop()
    assert face.instance.id not in stage.system.world
    assert session.may_end() is False
    with pytest.raises(Refused, match="no longer there"):
        session.end()


def test_behind_their_backs() -> None:
    """Who drives the system directly can have the objects follow."""
    stage = Stage()
    follow(stage.system, stage.system.send("train", "start"))
    assert stage.job.state == "executing.running.running_background"
    follow(stage.system, *stage.system.advance("7d"))
    assert stage.job.state == "executing.grace_period"


def test_another_reading() -> None:
    """The plan's readings hold."""
    stage = Stage(under(SAGEMAKER, {"A-02": "pin"}))
    stage.job.start()
    stage.center.disable_background()
    stage.domain.disable_tip()

    assert stage.job.is_running_background()


def test_nothing_is_kept_alive() -> None:
    """An object nobody needs takes its machine with it."""
    thing = Thing()
    system = System(TOUR)
    attach(thing, TOUR, "coffee-machine", system=system)
    del thing
    gc.collect()

    assert [each for each in gc.get_objects() if isinstance(each, Live) and each.system is system] == []


EVENTS = st.sampled_from(
    [
        *(("job", "train", name) for name in ("start", "finish", "fail", "stop", "restart", "write-checkpoint")),
        *(("ana", "ana", name) for name in ("sign-in", "sign-out", "revoke")),
        *(("domain", "ds", name) for name in ("enable-tip", "disable-tip")),
        *(("center", "acme", name) for name in ("enable-background", "disable-background")),
        *(("time", "", duration) for duration in ("15m", "9h", "7d")),
    ]
)


@given(events=st.lists(EVENTS, max_size=15))
def test_the_face_says_what_the_system_says(events: list[tuple[str, str, str]]) -> None:
    """The same events to the objects and to a system of their own: the same verdicts, the same states."""
    stage, system = Stage(ignore_invalid_triggers=True), System(SAGEMAKER)
    acme = system.add("identity-center", "acme", background_duration="7d")
    studio = system.add("studio-application", "studio")
    ds = system.add("studio-domain", "ds", state="tip-enabled", center=acme, application=studio)
    ana = system.add("interactive-session", "ana", center=acme)
    system.add("job", "train", kind="training", domain=ds, session=ana)
    faces = {"acme": stage.center, "ds": stage.domain, "ana": stage.ana, "train": stage.job}
    for who, id_, event in events:
        if who == "time":
            stage.job.advance(event)
            system.advance(event)
        else:
            model, trigger = getattr(stage, who), event.replace("-", "_")
            accepted = system.explain(id_, event).accepted
            assert model.may_trigger(trigger) is accepted
            try:
                assert model.trigger(trigger) is accepted
            except Refused:
                assert not accepted
            assert system.send(id_, event).accepted is accepted
        assert {name: model.state.rpartition(".")[2].replace("_", "-") for name, model in faces.items()} == {
            name: system[name].state for name in faces
        }
        assert system.snapshot().instances == stage.system.snapshot().instances

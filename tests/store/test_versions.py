"""A store keeps what it was written under: each decision is verified, told again and explained under its own version."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import attrs
import pytest

from outlast.bridge.scxml import load_scxml
from outlast.errors import StoreError, UnknownName
from outlast.loading import load_text
from outlast.moments import HOUR, MINUTE
from outlast.plan import under
from outlast.run import Terms
from outlast.store import schema
from outlast.store.aio import AsyncEngine
from outlast.store.checking import Finding, verify
from outlast.store.engine import Engine
from outlast.store.interface import Backend
from outlast.store.journal import sealed
from outlast.store.migration import migrate, undo
from outlast.store.opening import open_backend
from outlast.store.records import Decision
from outlast.store.sql import SqlTransaction
from outlast.store.versions import Versions, register, registering, text_of
from tests.run.worlds import plan_of
from tests.store.earlier import FIRST
from tests.store.people import START, Clock
from tests.store.test_migration import LAMP, MERGED, changed, lamps

SLOWER = changed(("after: 3h", "after: 5h"))
WHOLE = plan_of(MERGED.replace("transitions:", "moved: {low: lit, high: lit}\ntransitions:"))
SPLIT = changed(
    ("machine: lamp, optional: true}}", "machine: lamp, optional: true}, other: {machine: lamp, optional: true}}")
)
VAGUE = changed(("{id: grow, from: low, after", "{id: bloom, from: low, within"))
JOINED = changed(("to: dark}", "to: dark, do: [{if: next is present, do: [{send: {event: blow, to: next}}]}]}"))
DOUBTFUL = load_text((Path(__file__).parents[1] / "plan" / "everything.yaml").read_text("utf-8").partition("\n")[2])
NEXT_LAMP = load_text("system: lamp\nmachines: [lamp]\n---" + FIRST.versions[1])
FIRST_LAMP = load_text("system: lamp\nmachines: [lamp]\n---" + FIRST.versions[0])


def ask(backend: Backend, sql: str, *values: object) -> list[tuple[object, ...]]:
    """The rows of a statement, whose changes are kept."""
    with backend.transaction() as transaction:
        return [tuple(row) for row in transaction.run(sql, *values)]  # type: ignore[attr-defined]  # it is over SQL


def moved_about(url: str, clock: Clock) -> Backend:
    """A store of lamps under one version, the next, the first again, and then the third: with decisions under each."""
    backend = lamps(url, clock)
    migrate(backend, SLOWER, clock=clock)
    undo(backend)
    Engine(backend, clock=clock).send("dark", "light")
    clock.now += MINUTE
    migrate(backend, SLOWER, clock=clock)
    clock.now += 4 * HOUR
    Engine(backend, clock=clock).run_timers()
    migrate(backend, WHOLE, clock=clock)
    last = Engine(backend, clock=clock)
    last.create("lamp", "new")
    last.send("new", "light")
    last.send("dark", "blow")
    return backend


# ---- the texts


def test_a_text_is_kept_once(url: str) -> None:
    """However many readings and terms a version is used with."""
    other = under(DOUBTFUL, {"A-01": "that"})
    for plan, terms in ((DOUBTFUL, Terms()), (other, Terms()), (other, Terms(resolve="earliest")), (DOUBTFUL, Terms())):
        Engine.open(url, plan, terms=terms).close()
    backend = open_backend(url)

    assert ask(backend, "SELECT hash, text FROM wording") == [(DOUBTFUL.hash, text_of(DOUBTFUL))]
    with backend.reading() as reading:
        versions = Versions(reading)
        assert [dict(versions.plan(number).readings) for number in versions.rows] == [
            {"A-01": "that"}, {"A-01": "that"}, {"A-01": "this"}
        ]  # fmt: skip
        assert [(row.present, row.kept, row.since) for row in versions.told()] == [
            (False, True, None), (False, True, None), (True, True, None)
        ]  # fmt: skip
    backend.close()


def test_opened_without_a_plan(url: str) -> None:
    """It is the one the store is under, with its readings and terms."""
    terms = Terms(resolve="earliest")
    with Engine.open(url, under(DOUBTFUL, {"A-01": "that"}), terms=terms) as engine:
        engine.create("other", "it")
    with Engine.open(url) as engine:
        assert (engine.plan.hash, dict(engine.plan.readings)) == (DOUBTFUL.hash, {"A-01": "that"})
        assert engine.send("it", "knock", {"width": 5}).accepted
        assert len(engine.versions()) == 1
        again = engine.specification(engine.history("it")[-1].spec)
        assert (again.hash, again.readings) == (engine.plan.hash, engine.plan.readings)

    async def asked() -> str:
        async with await AsyncEngine.open(url) as engine:
            return engine.engine.plan.hash + (await engine.versions())[0].hash

    assert asyncio.run(asked()) == 2 * DOUBTFUL.hash


def test_nothing_to_be_opened(url: str) -> None:
    """Without a plan no store is made, and an empty one says what it needs."""
    with pytest.raises(StoreError, match="there is no such"):
        Engine.open(url)
    open_backend(url).close()
    with pytest.raises(StoreError, match="the store is empty: say which specification it is to be under"):
        Engine.open(url)
    with pytest.raises(StoreError, match="the store is empty"):
        Engine.open("sqlite://")


def test_a_plan_that_no_author_can_write(url: str, tmp_path: Path) -> None:
    """A translation is kept by its values, and is as good a version as any."""
    file = tmp_path / "switch.scxml"
    file.write_text(
        """<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" datamodel="outlast" initial="off">
        <datamodel><data id="count"/></datamodel>
        <state id="off"><transition event="flip" target="on"><assign location="count" expr="1"/></transition></state>
        <state id="on"><transition event="flip" target="off"><assign location="count" expr="true"/></transition></state></scxml>""",
        "utf-8",
    )
    plan = load_scxml(file)
    assert text_of(plan).startswith('{"is":"model.System"')
    with Engine.open(url, plan) as engine:
        engine.create(plan.source.machines[0].name, "one")
        engine.send("one", "flip")
    with Engine.open(url) as engine:
        assert engine.get("one").state == "on"
        assert engine.verify().ok
        assert engine.verify().replayed
        ask(engine.backend, "UPDATE wording SET text = ?", '{"is":"model.System","of":{"name":1,"machines":3}}')
        assert "was changed: it is that of" in str(engine.verify().findings[0])


def test_nobody_puts_an_old_version_back(url: str) -> None:
    """Who looked before the store was moved and registers after it is refused."""
    clock = Clock()
    backend = lamps(url, clock)
    migrate(backend, SLOWER, clock=clock)
    with pytest.raises(StoreError, match="another version of `test`"), backend.transaction() as transaction:
        register(transaction, plan_of(LAMP), Terms(resolve="earliest"), backend.url)
    with backend.reading() as reading:
        assert Versions(reading).current(backend.url).hash == SLOWER.hash
    backend.close()


def test_a_worker_of_the_version_before(url: str) -> None:
    """Is told what to do: at its next input, and when it is begun anew."""
    clock = Clock()
    backend = lamps(url, clock)
    left = Engine(backend, plan_of(LAMP), clock=clock)
    migrate(backend, SLOWER, clock=clock)

    with pytest.raises(
        StoreError, match=r"the store was moved .* open it again without a plan, or with that one \(`outlast store spec"
    ):
        left.send("dark", "light")
    with pytest.raises(StoreError, match=r"move it \(`outlast migrate .* NEW`\), or open it without a plan"):
        Engine.open(url, plan_of(LAMP))
    left.close()


# ---- the tables of an earlier Outlast


def test_a_store_of_the_first_tables(url: str) -> None:
    """It is changed as it is opened, and has the text once it was opened with its plan; what was decided stays as it was."""
    FIRST.put(url)
    with Engine.open(url, NEXT_LAMP, clock=Clock(START + 3 * HOUR)) as engine:
        before = [tuple(row) for row in FIRST.tables["journal"]["rows"]]
        assert (
            ask(engine.backend, f"SELECT {', '.join(FIRST.tables['journal']['columns'])} FROM journal ORDER BY seq")
            == before
        )
        assert [row.kept for row in engine.versions()] == [False, True]
        found = engine.verify()
        assert (found.findings, found.replayed, found.passed) == ((), True, 6)
        assert verify(engine.backend, {FIRST_LAMP.hash: FIRST_LAMP}).passed == 0
        with pytest.raises(StoreError, match="the store has no text of specification 7d88f2dc39cc"):
            engine.explain("high", version=2)
        with pytest.raises(StoreError, match="the store has no text of specification 7d88f2dc39cc"):
            engine.replay(upto=START + HOUR)
        assert "`light` at `dark`: accepted" in explain_text(engine, "dark", 3)
        assert engine.send("dark", "blow").accepted
    with Engine.open(url, clock=Clock(START + 4 * HOUR)) as engine:
        assert engine.verify().ok
        assert engine.replay()["high"].state == "out"


def explain_text(engine: Engine, instance: str, version: int | None = None) -> str:
    """Why a decision went as it did."""
    return str(engine.explain(instance, version=version))


def test_a_change_that_is_interrupted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store stays as it was, and can be changed later."""
    FIRST.put(url)
    about, text = schema.CHANGES[1]
    with monkeypatch.context() as patch:
        patch.setattr(schema, "CHANGES", (schema.CHANGES[0], (about, f"{text}; INSERT INTO nowhere VALUES (1)")))
        with pytest.raises(StoreError, match="nowhere"):
            Engine.open(url, NEXT_LAMP)
    with monkeypatch.context() as patch:
        patch.setattr(schema, "LATEST", 1)
        backend = open_backend(url)
        with pytest.raises(StoreError, match="wording"):
            ask(backend, "SELECT * FROM wording")
        backend.close()

    with Engine.open(url, NEXT_LAMP, clock=Clock(START + 3 * HOUR)) as engine:
        assert engine.verify().ok


def test_an_older_outlast_leaves_a_newer_store_alone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which schema it knows."""
    Engine.open(url, plan_of(LAMP)).close()
    monkeypatch.setattr(schema, "LATEST", 1)

    with pytest.raises(StoreError, match=r"written by a newer Outlast \(schema 2, this one knows 1\)"):
        open_backend(url)


# ---- through all versions


def test_all_of_it_is_decided_again(url: str) -> None:
    """Moves, and a move that was undone, among the decisions of three versions."""
    clock = Clock()
    backend = moved_about(url, clock)
    found = verify(backend)

    assert (found.findings, found.replayed, found.passed) == ((), True, 0)
    with Engine(backend, clock=clock) as engine:
        told = [(row.hash, row.present) for row in engine.versions()]
        assert told == [(plan_of(LAMP).hash, False), (SLOWER.hash, False), (WHOLE.hash, True)]
        assert [row.decisions for row in engine.versions()] == [10, 11, 6]
        assert engine.versions()[1].since == START + HOUR + MINUTE


def test_told_up_to_any_moment(url: str) -> None:
    """The system is that of the version it was under then."""
    clock = Clock()
    backend = moved_about(url, clock)
    with Engine(backend, clock=clock) as engine:
        then = engine.replay(upto=START + HOUR)
        later = engine.replay(upto=START + HOUR + 2 * MINUTE)

        assert (then.plan.hash, then["high"].state) == (plan_of(LAMP).hash, "high")
        assert later.plan.hash == SLOWER.hash
        assert dict(engine.replay().world) == {
            name: engine.get(name).snapshot for name in ("dark", "high", "low", "new")
        }


def test_explained_under_its_own_version(url: str) -> None:
    """A row that is gone is still the reason; a timer still says what it said."""
    clock = Clock()
    backend = lamps(url, clock)
    before = Engine(backend, plan_of(LAMP), clock=clock)
    told = [explain_text(before, "high", version) for version in (1, 2, 3)]
    migrate(backend, WHOLE, clock=clock)
    with Engine(backend, clock=clock) as engine:
        assert told == [explain_text(engine, "high", version) for version in (1, 2, 3)]
        assert "after 1h" in told[2]
        assert engine.history("high")[2].timer == "grow"
        with pytest.raises(StoreError, match="nothing was decided"):
            engine.explain("high", version=4)
        with pytest.raises(UnknownName):
            engine.explain("high", version=5)


def test_explained_under_its_own_reading(url: str) -> None:
    """What was decided under one reading is not explained under the other that is in force now."""
    with Engine.open(url, under(DOUBTFUL, {"A-01": "that"})) as engine:
        engine.create("other", "it")
        engine.create("one", "me", it="it", name="me")
        engine.send("me", "go", by="boss")
        told = str(engine.explain("me"))
    with Engine.open(url, DOUBTFUL) as engine:
        assert told == str(engine.explain("me"))


DAMAGE = [
    (
        "UPDATE wording SET text = replace(text, '3h', '4h')",
        "the text of specification 2edb24bb0b31 was changed: it is that of ",
    ),
    (
        "UPDATE wording SET text = replace(text, 'to: high', 'to: sky')",
        "the text of specification 2edb24bb0b31 was changed: ",
    ),
    ("UPDATE wording SET text = '{}'", "was changed: this is no system"),
    ("UPDATE wording SET text = ''", "was changed: specification "),
    (
        "UPDATE spec SET terms = replace(terms, 'latest', 'earliest')",
        "its digest does not fit: something in it was changed",
    ),
    ("UPDATE spec SET hash = 'f' WHERE number = 2", "its digest does not fit: something in it was changed"),
    ("DELETE FROM spec WHERE number = 2", "specification 2: it is missing"),
]


@pytest.mark.parametrize(("sql", "text"), DAMAGE)
def test_damage_to_specifications(tmp_path: Path, sql: str, text: str) -> None:
    """Whatever decisions were made under is held to its hash, the present version and those before."""
    backend = moved_about(f"sqlite:///{tmp_path}/store.db", Clock())
    assert verify(backend).ok
    ask(backend, sql)
    text = text.replace("2edb24bb0b31", plan_of(LAMP).hash[:12])

    assert text in "\n".join(map(str, verify(backend).findings))
    assert text in "\n".join(map(str, verify(backend, {WHOLE.hash: WHOLE}).findings))
    backend.close()


def test_damage_to_the_present_specification(tmp_path: Path) -> None:
    """An engine that has the plan at hand looks at the text all the same."""
    with Engine.open(f"sqlite:///{tmp_path}/store.db", plan_of(LAMP)) as engine:
        ask(engine.backend, "UPDATE wording SET text = replace(text, '3h', '4h')")

        assert "was changed: it is that of" in str(engine.verify().findings[0])


def test_a_text_under_the_hash_of_another(tmp_path: Path) -> None:
    """Both are found."""
    backend = moved_about(f"sqlite:///{tmp_path}/store.db", Clock())
    ask(backend, "UPDATE wording SET hash = ? WHERE hash = ?", "x", SLOWER.hash)
    ask(backend, "UPDATE wording SET hash = ? WHERE hash = ?", SLOWER.hash, WHOLE.hash)
    ask(backend, "UPDATE wording SET hash = ? WHERE hash = 'x'", WHOLE.hash)

    assert [(item.where, item.what) for item in verify(backend).findings] == [
        (
            "specification 2",
            f"the text of specification {SLOWER.hash[:12]} was changed: it is that of {WHOLE.hash[:12]}",
        ),
        (
            "specification 3",
            f"the text of specification {WHOLE.hash[:12]} was changed: it is that of {SLOWER.hash[:12]}",
        ),
    ]
    backend.close()


@pytest.mark.parametrize(
    ("version", "old", "new"),
    [
        (3, '"notes":[]', '"notes":["nothing"]'),
        (3, '"from":"', '"from":"0'),
        (4, '"undone":7', '"undone":6'),
        (4, '"undone":7', '"undone":7,"more":1'),
    ],
)
def test_a_forged_move(tmp_path: Path, version: int, old: str, new: str) -> None:
    """Somebody who mends the hash after a change is found by moving again."""
    clock = Clock()
    backend = lamps(f"sqlite:///{tmp_path}/store.db", clock)
    migrate(backend, SLOWER, clock=clock)
    if version == 4:
        undo(backend)
    with Engine(backend, clock=clock) as engine:
        row = engine.history("low")[version - 1]
        assert row.cause == "migrated"
        body = row.body.replace(old, new)
        assert body != row.body
        forge(engine, row, body=body)

        (finding,) = engine.verify().findings
        assert "decided again it comes out otherwise: `body` of decision" in str(finding)


def forge(engine: Engine, row: Decision, **changed: object) -> None:
    """Change the last decision of an instance and mend every hash."""
    forged = attrs.evolve(row, **changed)  # type: ignore[arg-type]  # as the test says
    ask(
        engine.backend,
        "UPDATE journal SET body = ?, spec = ?, hash = ? WHERE seq = ?",
        forged.body,
        forged.spec,
        sealed(forged),
        row.seq,
    )
    ask(engine.backend, "UPDATE instance SET hash = ? WHERE id = ?", sealed(forged), row.instance)


def test_put_back_into_another_version(tmp_path: Path) -> None:
    """A move that was undone leads to the version it came from, whoever says otherwise."""
    clock = Clock()
    backend = lamps(f"sqlite:///{tmp_path}/store.db", clock)
    migrate(backend, SLOWER, clock=clock)
    undo(backend)
    with Engine(backend, clock=clock) as engine:
        for name in ("dark", "high", "low"):
            forge(engine, engine.history(name)[-1], spec=2)

        (finding,) = engine.verify().findings
        assert "it puts back what was not moved from there just before" in finding.what


def test_put_back_too_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happened since a move would be lost, even if it changed nothing."""
    clock = Clock()
    backend = lamps(f"sqlite:///{tmp_path}/store.db", clock)
    migrate(backend, SLOWER, clock=clock)
    with Engine(backend, clock=clock) as engine:
        (*_, last) = engine.decisions()
        assert not engine.send("dark", "blow").accepted
        with monkeypatch.context() as patch:
            patch.setattr(SqlTransaction, "last", lambda _: last)
            undo(backend)

        (finding,) = engine.verify().findings
        assert "it puts back what was not moved from there just before" in finding.what


def test_a_version_without_a_move(tmp_path: Path) -> None:
    """Decisions under another version that nothing led to are no decisions of this store."""
    clock = Clock()
    backend = lamps(f"sqlite:///{tmp_path}/store.db", clock)
    with backend.transaction() as transaction:
        transaction.register(registering(SLOWER, Terms()))
    with Engine(backend, SLOWER, clock=clock) as engine:
        engine.send("dark", "light")
        (finding,) = engine.verify().findings

        assert isinstance(finding, Finding)
        assert f"it is under specification {SLOWER.hash[:12]}, though nothing was moved there" in finding.what


@pytest.mark.parametrize("seed", range(6))
def test_a_long_life(tmp_path: Path, seed: int) -> None:
    """Events, time, moves and undone moves in any order: told again it is the same, at the end and wherever one looks back."""
    random, clock = Random(seed), Clock()
    backend = lamps(f"sqlite:///{tmp_path}/store.db", clock)
    versions = [plan_of(LAMP), SLOWER, JOINED, SPLIT, VAGUE]
    engine = Engine(backend, terms=Terms(resolve="earliest"), clock=clock)
    for number in range(40):
        clock.now += random.choice([MINUTE, HOUR])
        last = engine.decisions()[-1]
        match random.choice(["send", "send", "time", "make", "move", "undo"]):
            case "send":
                engine.send(random.choice(["dark", "high", "low"]), random.choice(["light", "blow"]))
            case "time":
                engine.run_timers()
            case "make":
                engine.create("lamp", f"lamp-{number}", next=random.choice([None, "dark", "low"]))
            case "move" if (new := random.choice(versions)).hash != engine.plan.hash:
                migrate(backend, new, clock=clock)
            case "undo" if "migrated" in last.said:
                undo(backend)
        engine = Engine(backend, clock=clock)
        assert {name: engine.get(name).snapshot for name in engine.replay().world} == dict(engine.replay().world)
    found = verify(backend)

    assert (found.findings, found.passed) == ((), 0)
    assert len({row.hash for row in engine.versions()}) > 2
    backend.close()

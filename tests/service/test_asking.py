"""What the service answers: instances, events, time, explanations, history, deadlines, effects."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from outlast.moments import DAY, HOUR
from outlast.run import System
from outlast.service.live import story_of
from outlast.store.outbox import Retries
from outlast.store.records import OutgoingEffect
from tests.service.conftest import BATCH, EVENTS, PEOPLE, Service, envelope, on_both
from tests.store.people import START

pytestmark = on_both
JSON = {"Content-Type": "application/json"}


def test_a_job_outlives_its_user(service: Service) -> None:
    """Events in, decisions with their clauses out; time does the rest."""
    service.settle()
    started = service.say("train", "start", "1")
    service.clock.now = START + HOUR
    service.say("ana", "sign-out", "2", actor="user")
    fired = service.client.post("/v1/time", json={"until": START + 7 * DAY}).json()
    job = service.client.get("/v1/instances/train").json()
    told = service.client.get("/v1/instances/train/history", params={"limit": 3}).json()

    assert (started["accepted"], started["clauses"]) == (True, ["TIP-31", "TIP-05", "TIP-03", "INF-03"])
    assert (fired["turns"], fired["stuck"]) == (1, {})
    assert (job["state"], job["version"]) == ("grace-period", 4)
    assert [row["version"] for row in told["decisions"]] == [1, 2, 3]
    assert told["next"] == 3
    deadlines = service.client.get("/v1/deadlines").json()["deadlines"]
    assert [row["transition"] for row in deadlines] == ["grace-over", "max-runtime"]


def test_a_repeat_gets_the_first_answer(service: Service) -> None:
    """The same source and id, however often: one decision."""
    service.settle()
    first, again = service.say("train", "start", "1"), service.say("train", "start", "1")

    assert (first.pop("repeated"), again.pop("repeated")) == (False, True)
    assert first == again
    assert len(service.client.get("/v1/instances/train/history").json()["decisions"]) == 2
    assert 'outlast_events_total{type="start",result="repeated"} 1' in service.client.get("/metrics").text


def test_the_same_id_for_something_else(service: Service) -> None:
    """Is refused, and nothing changes."""
    service.settle()
    service.say("train", "start", "1")
    answer = service.client.post("/v1/events", json=envelope("train", "stop", "1"), headers=EVENTS)

    assert (answer.status_code, answer.json()["code"]) == (422, "id-reused")
    assert service.client.get("/v1/instances/train").json()["version"] == 2


def test_a_batch_is_all_or_none(service: Service) -> None:
    """One envelope that cannot be used, and nothing of the batch is kept."""
    service.settle()
    well = [envelope("train", "start", "1"), envelope("ana", "sign-out", "2", actor="user")]
    for bad in (envelope("nobody", "start", "3"), envelope("train", "strat", "3"), {"specversion": "1.0"}):
        answer = service.client.post("/v1/events", content=json.dumps([*well, bad]), headers=BATCH)
        assert answer.status_code in (404, 422)
        assert service.client.get("/v1/instances/train").json()["version"] == 1
    answer = service.client.post("/v1/events", content=json.dumps(well), headers=BATCH)

    assert [row["accepted"] for row in answer.json()] == [True, True]
    assert service.client.get("/v1/instances/train").json()["state"] == "running-background"


def test_a_refused_event_is_an_answer(service: Service) -> None:
    """What the machine does not accept is said with the reason, and kept."""
    service.settle()
    receipt = service.say("acme", "set-background-duration", "1", actor="administrator", data={"duration": "14m"})

    assert receipt["accepted"] is False
    assert "15m" in str(receipt["refusal"])
    assert service.client.get("/v1/instances/acme").json()["version"] == 2


def test_why_and_why_not(service: Service) -> None:
    """What would happen, without it happening; why a decision went as it did; what could be said."""
    service.settle()
    asked = service.client.post("/v1/instances/train/explanation", json={"event": "finish"}).json()
    service.say("train", "start", "1")
    done = service.client.get("/v1/instances/train/explanation", params={"version": 2}).json()
    offered = service.client.get("/v1/instances/train/offers").json()["offers"]

    assert asked["accepted"] is False
    assert {row["verdict"] for row in asked["candidates"]} <= {"wrong-source", "guard-false"}
    taken = [row["transition"] for row in done["candidates"] if row["verdict"] == "taken"]
    assert taken == ["start-background"]
    assert "finish" in [row["event"] for row in offered]


def test_an_outdated_version(service: Service) -> None:
    """`expect` is the version the sender has seen."""
    service.settle()
    answer = service.client.post("/v1/events", json=envelope("train", "start", "1", expect=7), headers=EVENTS)

    assert (answer.status_code, answer.json()["code"]) == (412, "outdated")


def test_mistakes_are_told_apart(service: Service) -> None:
    """By status and by the type of the problem, which say what to do; the words are for people."""
    service.settle()
    service.say("train", "start", "1")
    service.say("train", "finish", "2")
    gone = service.client.post("/v1/events", json=envelope("train.background", "revoke", "3"), headers=EVENTS)
    taken = service.client.post("/v1/instances", json={"instances": PEOPLE[:1]})
    service.clock.now += 365 * DAY
    late = service.client.post("/v1/events", json=envelope("ana", "sign-out", "4"), headers=EVENTS)
    service.clock.now -= 365 * DAY
    far = service.client.post("/v1/time", json={"until": START + 365 * DAY})

    assert [(each.status_code, each.json()["type"]) for each in (gone, taken, late, far)] == [
        (410, "urn:outlast:problem:instance-gone"),
        (409, "urn:outlast:problem:instance-exists"),
        (503, "urn:outlast:problem:clock-skew"),
        (422, "urn:outlast:problem:bad-request"),
    ]
    assert service.client.get("/v1/instances/train.background").status_code == 410
    assert service.client.get("/v1/instances/train.background/offers").status_code == 410
    assert service.client.get("/v1/instances/train.background/history").status_code == 200
    assert (gone.json()["title"], gone.json()["detail"]) == (
        "The instance is over",
        "there is no instance `train.background` any more",
    )
    assert late.headers["retry-after"] == "1"
    assert service.client.get("/v1/instances/ana").json()["version"] == 1


def test_dead_effects_are_revived(service: Service) -> None:
    """They are listed with the reason, counted, tried again when somebody says so; what is not dead is left alone."""

    def fails(effect: OutgoingEffect) -> None:
        raise ConnectionError(f"nobody takes {effect.name}")

    service.settle()
    service.say("train", "start", "1")
    engine = service.deck.engine.engine
    engine.deliver({"*": fails}, retries=Retries(attempts=1))
    (dead,) = service.client.get("/v1/effects?state=dead").json()["effects"]
    counted = service.client.get("/metrics").text
    asked = {"effects": [dead["id"], "99-0"]}
    ignored = service.client.post("/v1/effects/acknowledgements", json=asked).json()
    revived = service.client.post("/v1/effects/revivals", json=asked).json()
    again = service.client.post("/v1/effects/revivals", json=asked).json()

    assert (dead["name"], dead["attempts"], dead["error"]) == (
        "credentials",
        1,
        "ConnectionError: nobody takes credentials",
    )
    assert "\noutlast_effects_dead 1\n" in counted
    assert ignored == {"acknowledged": [], "ignored": asked["effects"]}
    assert revived == {"revived": [dead["id"]], "ignored": ["99-0"]}
    assert again == {"revived": [], "ignored": asked["effects"]}
    assert engine.deliver({"*": lambda _: None}).done == 1
    assert service.client.get("/v1/effects?state=dead").json()["effects"] == []


def test_effects_wait_for_an_acknowledgement(service: Service) -> None:
    """They are pending until somebody says that they are done; saying it twice does no harm."""
    service.settle()
    service.say("train", "start", "1")
    pending = service.client.get("/v1/effects", params={"state": "pending"}).json()["effects"]
    ids = [row["id"] for row in pending]
    first = service.client.post("/v1/effects/acknowledgements", json={"effects": [*ids, "99-0"]}).json()
    again = service.client.post("/v1/effects/acknowledgements", json={"effects": ids}).json()

    assert "credentials" in [row["name"] for row in pending]
    assert first == {"acknowledged": ids, "ignored": ["99-0"]}
    assert again == {"acknowledged": ids, "ignored": []}
    assert service.client.get("/v1/effects", params={"state": "pending"}).json()["effects"] == []
    assert {row["state"] for row in service.client.get("/v1/effects").json()["effects"]} == {"done"}


def test_pages_of_instances(service: Service) -> None:
    """`next` leads on, to the end."""
    service.settle()
    found, after = [], ""
    while after is not None:
        page = service.client.get("/v1/instances", params={"limit": 2, "after": after}).json()
        found += [row["instance"] for row in page["instances"]]
        after = page["next"]

    assert found == sorted([*(item["instance"] for item in PEOPLE), "train.background"])
    assert [row["instance"] for row in service.client.get("/v1/instances?machine=job").json()["instances"]] == ["train"]


def test_the_journal_has_an_order(service: Service) -> None:
    """Page by page, it is the same as at once."""
    service.settle()
    service.say("train", "start", "1")
    whole = service.client.get("/v1/decisions").json()["decisions"]
    found, page = [], service.client.get("/v1/decisions?limit=2").json()
    while page["decisions"]:
        found += page["decisions"]
        page = service.client.get(f"/v1/decisions?limit=2&after={found[-1]['seq']}").json()

    assert found == whole
    assert [row["seq"] for row in whole] == sorted({row["seq"] for row in whole})


@pytest.mark.parametrize("name", ["a/b", "a%2Fb", "../etc", "ümläut", "a b", "?", "#1"])
def test_any_name_can_be_asked_for(service: Service, name: str) -> None:
    """What stands between slashes is decoded once, after the path was taken apart."""
    made = service.client.post("/v1/instances", json={"instances": [{"instance": name, "machine": "identity-center"}]})
    quoted = "".join(f"%{byte:02X}" for byte in name.encode())
    answer = service.client.get(f"/v1/instances/{quoted}")

    assert (made.status_code, answer.status_code) == (201, 200)
    assert answer.json()["instance"] == name


def test_a_story_retold_ends_where_the_instance_is(service: Service) -> None:
    """What the live explorer walks, told to a system in memory, comes out as in the store."""
    service.settle()
    service.say("train", "start", "1")
    service.clock.now = START + HOUR
    service.say("ana", "sign-out", "2", actor="user")
    service.client.post("/v1/time", json={"until": START + 7 * DAY})
    for name in ("train", "train.background", "acme"):
        told: Any = story_of(service.deck.plan, service.deck.backend, name)
        system = System(service.deck.plan)
        for step in told["steps"]:
            system.advance_to(step["at"])
            if part := step.get("new"):
                given = {**part["fields"], **part["refs"]}
                system.make(part["machine"], part["instance"], given, state=part.get("state"))
            else:
                said = step["send"]
                system.send(said["instance"], said["event"], said["payload"], by=said.get("by"))
        system.advance_to(told["latest"])

        assert told["states"] == {id_: list(system[id_].states) for id_ in told["states"]}
        assert name in told["states"]


def test_the_first_page_leads_to_instances(service: Service) -> None:
    """Where each stands, and a link to follow it, whatever it is called; not those that are gone."""
    odd = [{"instance": '<b>"&/', "machine": "identity-center"}]
    assert service.client.post("/v1/instances", json={"instances": odd}).status_code == 201
    service.settle()
    service.say("train", "start", "1")
    service.say("train", "finish", "2")
    text = service.client.get("/").text

    assert '<td><a href="explorer?instance=train">train</a></td><td>SageMaker AI job</td><td>Completed</td>' in text
    assert '<a href="explorer?instance=%3Cb%3E%22%26%2F">&lt;b&gt;&quot;&amp;/</a>' in text
    assert "train.background" not in text
    assert service.client.get("/explorer?instance=%3Cb%3E%22%26%2F").status_code == 200


def test_pages_may_load_only_what_they_bring(service: Service) -> None:
    """Every page and picture says what it may load, and brings no script but its own."""
    service.settle()
    for path in ("/", "/explorer", "/explorer?instance=train", "/stories/the-job-outlives-its-user.svg"):
        answer = service.client.get(path)
        policy = answer.headers["content-security-policy"]
        assert (
            answer.status_code,
            "default-src 'none'" in policy,
            "unsafe-inline" in policy.partition("script-src")[2],
        ) == (
            200,
            True,
            False,
        )
        assert '<meta http-equiv="Content-Security-Policy"' not in answer.text
    assert service.client.get("/explorer?instance=nobody").status_code == 404


def test_the_script_of_the_live_page_is_the_one_allowed(service: Service) -> None:
    """The policy names the hash of the script, and that script follows."""
    service.settle()
    answer = service.client.get("/explorer?instance=train")
    script = answer.text.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()

    assert f"'sha256-{digest}'" in answer.headers["content-security-policy"]
    assert ("FollowingSource" in script, "new LocalSource" in script) == (True, False)


def test_metrics_count_words_never_ids(service: Service) -> None:
    """Counters and gauges by event, machine and state; no instance or id is a label."""
    service.settle()
    service.say("train", "start", "an-id-of-mine")
    service.say("train", "start", "another")
    service.clock.now = START + 40 * DAY
    service.client.post("/v1/time", json={})
    text = service.client.get("/metrics").text
    rows = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))

    assert rows['outlast_events_total{type="start",result="accepted"}'] == "1"
    assert rows['outlast_events_total{type="start",result="refused"}'] == "1"
    assert rows['outlast_transitions_total{machine="job",from="pending",to="running-background"}'] == "1"
    assert rows['outlast_instances{machine="job",state="failed"}'] == "1"
    assert (rows["outlast_timers_overdue"], float(rows["outlast_outbox_lag_seconds"])) == ("0", 40 * 86_400.0)
    assert float(rows["outlast_timer_lateness_seconds_sum"]) > 30 * 86_400
    assert [word for word in ("train", "acme", "an-id-of-mine", "another") if f'"{word}"' in text] == []

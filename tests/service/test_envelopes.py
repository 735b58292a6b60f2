"""CloudEvents, sound and unsound: taken whole, or refused with a reason and nothing kept."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outlast.moments import MINUTE
from outlast.plan import Plan
from tests.service.conftest import BATCH, EVENTS, Service, envelope, serving
from tests.store.people import START

DAY = "2024-10-04"
"""When the stories begin."""
ENVELOPES = [  # what is changed, status, part of what is said
    ({"specversion": "0.3"}, 422, "`specversion` is not `1.0`"),
    ({"specversion": None}, 422, "`specversion` is not `1.0`"),
    ({"id": ""}, 422, "`id`: a text of 1 to 500"),
    ({"id": 7}, 422, "`id`: a text of 1 to 500"),
    ({"id": "a\nb"}, 422, "`id`: a text of 1 to 500"),
    ({"id": "x" * 501}, 422, "`id`: a text of 1 to 500"),
    ({"source": None}, 422, "`source`: it is missing"),
    ({"type": "strat"}, 422, "did you mean `start`?"),
    ({"subject": "nobody"}, 404, "no instance is called `nobody`"),
    ({"subject": None}, 422, "`subject`: it is missing"),
    ({"actor": "nobody"}, 422, "no actor is called `nobody`"),
    ({"expect": -1}, 422, "not negative"),
    ({"expect": True}, 422, "not negative"),
    ({"expect": 9}, 412, "version 1, not 9"),
    ({"time": "yesterday"}, 422, "RFC 3339"),
    ({"time": "2024-02-30T00:00:00Z"}, 422, "does not exist"),
    ({"time": "1969-12-31T23:59:59Z"}, 422, "before 1970"),
    ({"time": "0001-01-01T00:00:00+23:59"}, 422, "`time` is"),
    ({"time": f"{DAY}T00:06:00Z"}, 422, "in the future"),
    ({"time": "20241004T000000Z"}, 422, "RFC 3339"),
    ({"time": 1_728_000_000}, 422, "`time`: a text"),
    ({"datacontenttype": "text/xml"}, 422, "`data` is JSON"),
    ({"data_base64": "AA=="}, 422, "a payload is JSON"),
    ({"data": [1]}, 422, "an object of plain values"),
    ({"data": {"wait": [1]}}, 422, "`wait`: a text, a whole number"),
    ({"data": {"strange": 1}}, 422, "`strange`"),
    ({"Extension": "x"}, 422, "no name of an attribute"),
    ({"extension": {}}, 422, "plain value"),
    ({"time": f"{DAY}T00:00:00Z"}, 200, ""),
    ({"time": f"{DAY}T00:00:00.123456789+00:00"}, 200, ""),
    ({"time": f"{DAY}t02:00:00+02:00"}, 200, ""),
    ({"datacontenttype": "application/json; charset=utf-8"}, 200, ""),
    ({"dataschema": "https://example.org/schema", "traceparent": "00-ab-cd-01", "count": 3, "flag": True}, 200, ""),
    ({"data": {}}, 200, ""),
    ({"data": None}, 200, ""),
    ({"expect": 1}, 200, ""),
]


@pytest.mark.parametrize(
    ("change", "status", "said"), ENVELOPES, ids=[json.dumps(change)[:40] for change, _, _ in ENVELOPES]
)
def test_envelopes(service: Service, change: dict[str, object], status: int, said: str) -> None:
    """Each is taken whole or refused with a reason; refused, nothing is kept."""
    service.clock.now = START
    service.settle()
    data = {**envelope("train", "start", "1"), **change}
    answer = service.client.post("/v1/events", content=json.dumps(data), headers=EVENTS)
    version = service.client.get("/v1/instances/train").json()["version"]

    assert (answer.status_code, version) == (status, 2 if status == 200 else 1)
    assert said in answer.text.replace("\\", "")


JSON_BODY = {"Content-Type": "application/json"}
BARE = {"ce-specversion": "1.0", "ce-source": "tests", "ce-id": "1", "ce-type": "start", "ce-subject": "train"}
HEADERS = [  # what is changed, body, status, part of what is said
    ({}, b"", 200, ""),
    (JSON_BODY, b"{}", 200, ""),
    (JSON_BODY, b"null", 200, ""),
    (JSON_BODY, b"", 200, ""),
    ({"ce-expect": "1"}, b"", 200, ""),
    (
        {"ce-time": f"{DAY}T00:00:00Z", "ce-dataschema": "https://example.org", "ce-traceparent": "00-ab-cd-01"},
        b"",
        200,
        "",
    ),
    ({"ce-subject": "%74rain"}, b"", 200, ""),
    ({"ce-subject": '"tr\\ain"'}, b"", 200, ""),
    ({"ce-source": "%E2%82%AC %F0%9F%98%80"}, b"", 200, ""),
    ({"ce-specversion": "0.3"}, b"", 422, "`specversion` is not `1.0`"),
    ({"ce-id": ""}, b"", 422, "`id`: a text of 1 to 500"),
    ({"ce-id": "a%0Ab"}, b"", 422, "`id`: a text of 1 to 500"),
    ({"ce-subject": "nobody"}, b"", 404, "no instance is called `nobody`"),
    ({"ce-subject": "train%2574"}, b"", 404, "no instance is called `train%74`"),
    ({"ce-subject": "%C0%A0"}, b"", 422, "`ce-subject`: what %XX stands for is not UTF-8"),
    ({"ce-subject": "100%"}, b"", 422, "`ce-subject`: ASCII is wanted"),
    ({"ce-subject": "tra\xefn"}, b"", 422, "`ce-subject`: ASCII is wanted"),
    ({"ce-expect": "9"}, b"", 412, "version 1, not 9"),
    ({"ce-expect": "one"}, b"", 422, "not negative"),
    ({"ce-expect": "-1"}, b"", 422, "not negative"),
    ({"ce-actor": "nobody"}, b"", 422, "no actor is called `nobody`"),
    ({"ce-time": f"{DAY}T00:06:00Z"}, b"", 422, "in the future"),
    ({"ce-data": "1"}, b"", 422, "`ce-data` is no attribute"),
    ({"ce-datacontenttype": "application/json"}, b"", 422, "`ce-datacontenttype` is no attribute"),
    ({"ce-strange-name": "1"}, b"", 422, "no name of an attribute"),
    (JSON_BODY, b"{", 400, "this is no JSON"),
    (JSON_BODY, b"[1]", 422, "an object of plain values"),
    (JSON_BODY, b'{"strange": 1}', 422, "`strange`"),
    (JSON_BODY, b'{"wait": [1]}', 422, "`wait`: a text, a whole number"),
    ({"Content-Type": "text/xml"}, b"<a/>", 415, "the body must be application/json"),
    ({}, b"{}", 415, "the body must be application/json"),
]


@pytest.mark.parametrize(("change", "body", "status", "said"), HEADERS, ids=range(len(HEADERS)))
def test_attributes_in_headers(service: Service, change: dict[str, str], body: bytes, status: int, said: str) -> None:
    """An event in binary mode is taken whole or refused with a reason, as one that is structured; no pointer leads into a body that has none of it."""
    service.clock.now = START
    service.settle()
    headers = [(name.encode(), value.encode("latin-1")) for name, value in {**BARE, **change}.items()]
    answer = service.client.post("/v1/events", content=body, headers=headers)
    version = service.client.get("/v1/instances/train").json()["version"]

    assert (answer.status_code, version) == (status, 2 if status == 200 else 1)
    assert said in answer.text.replace("\\", "")
    assert status == 200 or "pointer" not in answer.json()


def test_the_same_event_in_every_mode(service: Service) -> None:
    """However it is sent, it is the same event: said again in another mode it gets the first answer."""
    service.settle()
    data = {"duration": "20m"}
    whole = {**envelope("acme", "set-background-duration", "7 %"), "data": data, "actor": "administrator"}
    first = service.client.post("/v1/events", json=whole, headers=EVENTS).json()
    attributes = {"specversion": "1.0", "source": "tests", "id": "7%20%25", "type": whole["type"], "subject": "acme"}
    headers = {f"CE-{name}": str(value) for name, value in {**attributes, "actor": "administrator"}.items()}
    binary = service.client.post("/v1/events", json=data, headers=headers).json()
    (batch,) = service.client.post("/v1/events", json=[whole], headers=BATCH).json()

    assert (first["accepted"], first["repeated"], binary["repeated"], batch["repeated"]) == (True, False, True, True)
    assert binary == batch == first | {"repeated": True}
    twice = [*headers.items(), ("ce-id", "8")]
    answer = service.client.post("/v1/events", json=data, headers=twice)
    assert (answer.status_code, answer.json()["detail"]) == (422, "the header `ce-id` stands twice")


def test_structured_wins(service: Service) -> None:
    """Where the body is a whole envelope, headers beside it mean nothing."""
    service.settle()
    answer = service.client.post(
        "/v1/events",
        json=envelope("train", "start", "1"),
        headers={**EVENTS, "ce-specversion": "1.0", "ce-type": "stop"},
    )

    assert answer.json()["transitions"] == ["start-background"]


def test_a_stamp_is_kept(service: Service) -> None:
    """It takes effect when its group's time allows; what the sender said stays beside it."""
    service.clock.now = START + 10 * MINUTE
    service.settle()
    said = service.say("train", "start", "1", time=f"{DAY}T00:04:00Z")
    rows = said["decisions"]
    assert isinstance(rows, list)

    assert (said["at"], rows[0]["stamp"]) == (START + 10 * MINUTE, START + 4 * MINUTE)


@pytest.fixture(scope="module")
def patient(sagemaker: Plan) -> Iterator[Service]:
    """One service for many examples."""
    for service in serving(sagemaker):
        service.settle()
        yield service


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["train", "ana", "acme", "studio", "ds", "nobody", ""]
WORDS = ["start", "stop", "finish", "sign-out", "sign-in", "revoke", "set-background-duration", "write-checkpoint", "x"]
ATTRIBUTES = {
    "specversion": st.just("1.0") | JSON,
    "id": st.integers(0, 30).map(str) | JSON,
    "source": st.sampled_from(["a", "b"]) | JSON,
    "type": st.sampled_from(WORDS) | JSON,
    "subject": st.sampled_from(NAMES) | JSON,
}
MORE = {
    "time": st.datetimes().map(lambda moment: moment.isoformat() + "Z") | JSON,
    "actor": st.sampled_from(["user", "administrator", "service"]) | JSON,
    "data": st.dictionaries(st.sampled_from(["duration", "wait", "cause"]), JSON, max_size=2) | JSON,
    "expect": st.integers(-1, 4) | JSON,
    "datacontenttype": st.just("application/json") | JSON,
}
FUZZED = st.fixed_dictionaries(ATTRIBUTES, optional=MORE) | st.dictionaries(st.text(max_size=8), JSON, max_size=4)
STATUSES = {200, 400, 404, 410, 412, 422}


def total(service: Service) -> int:
    """How many decisions there are."""
    with service.deck.backend.reading() as reading:
        return reading.counts()["decisions"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.lists(FUZZED, min_size=1, max_size=3), single=st.booleans())
def test_fuzzed_events_are_taken_whole_or_not_at_all(
    patient: Service, batch: list[dict[str, object]], single: bool
) -> None:
    """A receipt for each, or a problem and not one decision more; never anything else."""
    before = total(patient)
    body = json.dumps(batch[0] if single else batch)
    answer = patient.client.post("/v1/events", content=body, headers=EVENTS if single else BATCH)
    told = answer.json()

    assert answer.status_code in STATUSES
    if answer.status_code == 200:
        receipts = [told] if single else told
        assert len(receipts) == (1 if single else len(batch))
        assert total(patient) >= before + sum(not receipt["repeated"] for receipt in receipts)
    else:
        assert (answer.headers["content-type"], told["status"]) == ("application/problem+json", answer.status_code)
        assert total(patient) == before


BYTES = st.binary(max_size=12) | st.text(alphabet='%09aAfF"\\ é', max_size=12).map(lambda text: text.encode("latin-1"))
SENT = {
    "specversion": st.just(b"1.0") | BYTES,
    "id": st.integers(0, 30).map(lambda number: str(number).encode()) | BYTES,
    "source": st.sampled_from([b"a", b"b"]) | BYTES,
    "type": st.sampled_from(WORDS).map(str.encode) | BYTES,
    "subject": st.sampled_from(NAMES).map(str.encode) | BYTES,
}
MORE_SENT = {
    "time": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z".encode()) | BYTES,
    "actor": st.sampled_from([b"user", b"administrator", b"service"]) | BYTES,
    "expect": st.integers(-1, 4).map(lambda number: str(number).encode()) | BYTES,
    "extra": BYTES,
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    attributes=st.fixed_dictionaries(SENT, optional=MORE_SENT),
    body=st.binary(max_size=8) | JSON.map(lambda data: json.dumps(data).encode()),
)
def test_fuzzed_headers_are_taken_whole_or_not_at_all(
    patient: Service, attributes: dict[str, bytes], body: bytes
) -> None:
    """A receipt, or a problem and not one decision more; never anything else."""
    before = total(patient)
    headers = [
        (b"Content-Type", b"application/json"),
        *((b"ce-" + name.encode(), value) for name, value in attributes.items()),
    ]
    answer = patient.client.post("/v1/events", content=body, headers=headers)
    told = answer.json()

    assert answer.status_code in STATUSES
    if answer.status_code == 200:
        assert total(patient) >= before + (not told["repeated"])
    else:
        assert (answer.headers["content-type"], told["status"]) == ("application/problem+json", answer.status_code)
        assert total(patient) == before


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=60) | st.text(alphabet='{}[]":,0123456789.eE+-\\u "aN', max_size=60).map(str.encode))
def test_fuzzed_bytes_are_refused(patient: Service, body: bytes) -> None:
    """What is no envelope gets a problem, whatever it is."""
    before = total(patient)
    answer = patient.client.post("/v1/events", content=body, headers=EVENTS)

    assert answer.status_code in (400, 422)
    assert answer.json()["code"] in ("bad-json", "bad-request")
    assert total(patient) == before


def test_the_store_is_whole_after_all_that(patient: Service) -> None:
    """Told again, the journal comes out the same."""
    found = patient.deck.engine.engine.verify()

    assert (found.findings, found.replayed) == ((), True)

"""Who may come in, and with what: tokens, roles, hosts, limits; and what every answer carries."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from outlast.errors import MisuseError, StoreError
from outlast.plan import Plan
from outlast.service.app import open_deck
from outlast.service.problems import CODES
from outlast.service.rates import Rates
from outlast.service.tokens import Tokens, token_in
from outlast.store.engine import Engine
from outlast.store.opening import open_backend
from outlast.store.sqlite import SqliteBackend
from tests.service.conftest import BATCH, EVENTS, TOKENS, UNHURRIED, Service, envelope, serving

ROLES = [  # method, path, the least role
    ("GET", "/v1/instances", "read"),
    ("GET", "/metrics", "read"),
    ("GET", "/openapi.json", "read"),
    ("GET", "/", "read"),
    ("GET", "/explorer", "read"),
    ("POST", "/v1/events", "write"),
    ("POST", "/v1/instances", "write"),
    ("POST", "/v1/effects/acknowledgements", "write"),
    ("POST", "/v1/effects/revivals", "admin"),
    ("POST", "/v1/time", "admin"),
]


def bearer(role: str) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {TOKENS[role]}"}


@pytest.mark.parametrize(("method", "path", "least"), ROLES)
def test_roles(secured: Service, method: str, path: str, least: str) -> None:
    """A token may do what its role may; without one nobody may do anything."""
    seen = {role: secured.client.request(method, path, headers=bearer(role)).status_code for role in TOKENS}
    order = list(TOKENS)

    assert secured.client.request(method, path).status_code == 401
    assert [role for role in order if seen[role] == 403] == order[: order.index(least)]
    assert {*seen.values()} & {401, 404, 405, 500} == set()


BAD_TOKENS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong-0123456789abcdef",
    "Bearer ümläut",
    "Digest x",
    "Basic",
    "Basic !",
    "Basic YQ==",
]


@pytest.mark.parametrize("header", BAD_TOKENS)
def test_what_is_no_token(secured: Service, header: str) -> None:
    """Gets 401 and a challenge, whatever it is."""
    answer = secured.client.get("/v1/instances", headers={b"Authorization": header.encode()})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert "Bearer" in answer.headers["www-authenticate"]


def test_a_browser_sends_the_token_as_a_password(secured: Service) -> None:
    """`Basic` with any name."""
    word = base64.b64encode(f"me:{TOKENS['read']}".encode()).decode()

    assert secured.client.get("/", headers={"Authorization": f"Basic {word}"}).status_code == 200


def test_health_needs_no_token(secured: Service) -> None:
    """It says nothing a stranger may not know."""
    answer = secured.client.get("/health")

    assert (answer.status_code, sorted(answer.json())) == (200, ["status", "version"])


def test_pages_of_other_origins_may_not_write(secured: Service) -> None:
    """A browser that knows the token still says where a request comes from."""
    headers = {**bearer("admin"), **EVENTS, "Sec-Fetch-Site": "cross-site"}

    assert secured.client.post("/v1/events", json={}, headers=headers).status_code == 403
    assert (
        "access-control-allow-origin"
        not in secured.client.get("/v1/time", headers={**bearer("read"), "Origin": "https://a.example"}).headers
    )


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("[::1]:80", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("", 403),
    ],
)
def test_without_tokens_only_localhost(service: Service, host: str, status: int) -> None:
    """A name that somebody else lets lead to this machine is refused."""
    assert service.client.get("/v1/time", headers={"Host": host}).status_code == status


TOKEN_FILES = [
    ("", "tokens: there is no token in it: write ROLE:TOKEN, one on a line"),
    ("# nobody\n", "tokens: there is no token in it: write ROLE:TOKEN, one on a line"),
    ("read 0123456789abcdef", "tokens:1: write ROLE:TOKEN, one on a line; a role is one of `read`, `write`, `admin`"),
    ("\nroot:0123456789abcdef", "tokens:2: write ROLE:TOKEN, one on a line; a role is one of `read`, `write`, `admin`"),
    ("read:short", "tokens:1: a token has 16 characters or more, ASCII without blanks"),
    ("read:0123456789 abcdef", "tokens:1: a token has 16 characters or more, ASCII without blanks"),
]


@pytest.mark.parametrize(("text", "complaint"), TOKEN_FILES)
def test_a_file_of_tokens_that_is_none(text: str, complaint: str) -> None:
    """The line is named; no token is ever shown."""
    with pytest.raises(MisuseError) as caught:
        Tokens.read(text, "tokens")

    assert str(caught.value) == complaint


def test_tokens_are_kept_as_hashes() -> None:
    """Nothing that is printed shows one; the greatest of its roles counts."""
    tokens = Tokens.read("read:0123456789abcdef\nadmin:0123456789abcdef\n", "tokens")
    caller = tokens.caller("0123456789abcdef")

    assert caller is not None
    assert (caller.role, tokens.caller("0123456789abcdeg")) == ("admin", None)
    assert "0123456789abcdef" not in f"{tokens!r}{caller!r}{tokens.known!r}"
    assert token_in("bearer x") == "x"


def test_a_bucket_of_requests() -> None:
    """So many at once, then at a steady rate; each caller has one."""
    now = [0.0]
    rates = Rates(2.0, 3, lambda: now[0])
    first = [rates.wait("a") for _ in range(4)]
    now[0] = 0.5

    assert first == [0.0, 0.0, 0.0, 0.5]
    assert [rates.wait("a"), rates.wait("a"), rates.wait("b")] == [0.0, 0.5, 0.0]


@pytest.fixture
def narrow(sagemaker: Plan) -> Iterator[Service]:
    """With tight limits."""
    limits = attrs.evolve(UNHURRIED, rate=0.001, burst=3, body=1_000, depth=8, batch=3)
    yield from serving(sagemaker, limits=limits)


def test_too_many_requests(narrow: Service) -> None:
    """The fourth has to wait, and is told how long."""
    seen = [narrow.client.get("/v1/time") for _ in range(4)]

    assert [answer.status_code for answer in seen] == [200, 200, 200, 429]
    assert int(seen[3].headers["retry-after"]) > 900


def test_too_many_at_once(sagemaker: Plan) -> None:
    """Whoever finds the house full is told so as of any other problem, and it is counted; when somebody has left, there is room."""
    for service in serving(sagemaker, limits=attrs.evolve(UNHURRIED, together=0)):
        answer = service.client.get("/v1/time", headers={"X-Request-ID": "mine-3"})
        service.deck.limits = UNHURRIED

        assert (answer.status_code, answer.json()["code"], answer.json()["request"]) == (503, "overloaded", "mine-3")
        assert (answer.headers["content-type"], answer.headers["retry-after"]) == ("application/problem+json", "1")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert [service.client.get("/v1/time").status_code for _ in range(3)] == [200] * 3
        assert "\noutlast_http_overloaded_total 1\n" in service.client.get("/metrics").text


def test_everybody_who_leaves_makes_room(sagemaker: Plan) -> None:
    """However a request ends, it is no longer counted."""
    for service in serving(sagemaker, limits=attrs.evolve(UNHURRIED, together=1)):
        paths = ("/v1/time", "/nowhere", "/v1/instances/nobody", "/health")
        assert [service.client.get(path).status_code for path in paths] == [200, 404, 404, 200]


def test_bodies_beyond_the_limits(narrow: Service) -> None:
    """Too large, whether its length is told or not; too deep; too many."""
    batch = [envelope("train", "start", str(number)) for number in range(4)]
    large = narrow.client.post("/v1/events", content=b" " * 1_001, headers=EVENTS)
    untold = narrow.client.post("/v1/events", content=(b" " * 100 for _ in range(11)), headers=EVENTS)
    many = narrow.client.post("/v1/events", json=batch, headers=BATCH)

    assert [answer.status_code for answer in (large, untold, many)] == [413, 413, 422]


BODIES = [  # body, what is said of it
    (b"", "this is no JSON"),
    (b"{", "this is no JSON"),
    (b"\xff", "byte 1 is not UTF-8"),
    (b'{"a": NaN}', "`NaN` is no JSON"),
    (b'{"a": -Infinity}', "`-Infinity` is no JSON"),
    (b'{"a": 1.5}', "numbers are whole"),
    (b'{"a": 1e999}', "numbers are whole"),
    (b'{"a": ' + b"9" * 5_000 + b"}", "more than 64 bits"),
    (b'{"a": 9223372036854775808}', "more than 64 bits"),
    (b'{"a": "\\ud800"}', "U+D800"),
    (b'{"\\u0000": 1}', "U+0000"),
    (b'{"a": 1, "a": 2}', "`a` stands twice"),
    (b"[" * 100_000, "it nests deeper than 32"),
    (b'{"a":' * 33 + b"1" + b"}" * 33, "it nests deeper than 32"),
    (b'"' + b"[" * 10_000 + b'"', "an object is wanted"),
    (b'"\\"' + b"[" * 20, "this is no JSON"),
    (b"[]", "an object is wanted"),
    (b"null", "an object is wanted"),
]


@pytest.mark.parametrize(("body", "said"), BODIES, ids=range(len(BODIES)))
def test_bodies_that_are_refused(service: Service, body: bytes, said: str) -> None:
    """Politely, with what is wrong with them."""
    answer = service.client.post("/v1/events", content=body, headers=EVENTS)

    assert answer.status_code in (400, 422)
    assert said in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/json"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/cloudevents+json; charset=utf-16"},
        {**EVENTS, "Content-Encoding": "gzip"},
    ],
)
def test_types_that_are_not_taken(service: Service, headers: dict[str, str]) -> None:
    """Are answered with those that are."""
    answer = service.client.post("/v1/events", content=b"{}", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-type")


QUERIES = [
    "limit=0",
    "limit=1001",
    "limit=x",
    "limit=-1",
    "limit=" + "9" * 40,
    "after=%00",
    "machine=nothing",
    "limit=١",
]


@pytest.mark.parametrize("query", QUERIES)
def test_parameters_that_make_no_sense(service: Service, query: str) -> None:
    """Are refused, not guessed at."""
    assert service.client.get(f"/v1/instances?{query}").status_code == 422


@pytest.mark.parametrize(
    ("path", "status"), [("%FF", 400), ("%00", 404), ("a%0Ab", 404), ("x" * 3_000, 404), ("nobody", 404)]
)
def test_names_that_nobody_has(service: Service, path: str, status: int) -> None:
    """Whatever stands in a path is a name or nothing."""
    assert service.client.get(f"/v1/instances/{path}").status_code == status


def test_every_answer_carries(service: Service) -> None:
    """An id, the sender's where it is a decent one, and headers a browser should see; also where nothing is."""
    for path, status in (("/health", 200), ("/nowhere", 404), ("/v1/instances/nobody", 404)):
        answer = service.client.get(path, headers={"X-Request-ID": "mine-1"})
        assert (answer.status_code, answer.headers["x-request-id"]) == (status, "mine-1")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert status == 200 or answer.json()["request"] == "mine-1"
    odd = service.client.get("/health", headers={"X-Request-ID": "a b<script>"})

    assert len(odd.headers["x-request-id"]) == 32
    assert service.client.put("/v1/events").status_code == 405
    assert service.client.put("/v1/events").headers["allow"] == "POST"


def test_our_own_mistake_shows_no_traceback(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has it, under the id the caller got."""

    def broken() -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(service.deck.engine.engine, "stuck", broken)
    monkeypatch.setattr(type(service.deck.engine.engine), "stuck", lambda _: broken())
    monkeypatch.setattr(type(service.deck.engine), "stuck", lambda _: broken())
    answer = service.client.get("/v1/time", headers={"X-Request-ID": "mine-2"})

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert "mine-2" in caplog.text


def test_a_store_that_cannot_be_written_is_not_served(
    sagemaker: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused at once, and not when the first event comes."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    Engine.open(url, sagemaker).close()

    def read_only(url: str, *, create: bool) -> SqliteBackend:
        backend = open_backend(url, create=create)
        assert isinstance(backend, SqliteBackend)
        backend.connection.execute("PRAGMA query_only = on")
        return backend

    monkeypatch.setattr("outlast.service.app.open_backend", read_only)
    with pytest.raises(StoreError, match=r"jobs\.db: the file cannot be written"):
        open_deck(url, sagemaker)


def test_codes_are_statuses() -> None:
    """Every code has a status that says an error."""
    assert [code for code, status in CODES.items() if not 400 <= status < 600] == []

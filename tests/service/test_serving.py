"""A process of its own: where it listens, what it streams, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from click.testing import Result

from tests.service.conftest import EVENTS, PEOPLE, TOKENS, envelope

Outlast = Callable[..., Result]
PATIENCE = 30


@contextmanager
def running(*words: str, system: str = "sagemaker", **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`outlast serve SYSTEM …` while the block lasts, and its address."""
    command = [sys.executable, "-m", "outlast", "serve", system, "--port", "0", *words]
    plain = {name: value for name, value in os.environ.items() if name != "OUTLAST_TOKENS"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**plain, **environment}
    ) as process:
        try:
            assert process.stdout
            yield process, process.stdout.readline().rpartition(" ")[2].strip()
        finally:
            if process.poll() is None:
                process.kill()


def asked(address: str, path: str, data: object = None, **headers: str) -> object:
    """What a path answers."""
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(address + path, body, {"Content-Type": "application/json", **headers})  # noqa: S310  # our own address
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310  # as above
        return json.loads(answer.read())


@contextmanager
def told(address: str, path: str, **headers: str) -> Iterator[HTTPResponse]:
    """A stream, from its beginning."""
    with closing(HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE)) as connection:
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as stream:
            yield stream


def next_event(stream: HTTPResponse) -> tuple[str, dict[str, object]]:
    """The id and the data of the next event of a stream."""
    found: dict[str, str] = {}
    while line := stream.readline().decode():
        name, _, value = line.rstrip("\n").partition(": ")
        assert not line.startswith(": "), "nothing came"
        if not name and "data" in found:
            return found["id"], json.loads(found["data"])
        found[name] = value
    raise AssertionError("the stream has ended")


def say(address: str, subject: str, event: str, id_: str, **more: object) -> None:
    """Say an event."""
    asked(address, "/v1/events", envelope(subject, event, id_, **more), **EVENTS)


def test_a_day_of_a_service(tmp_path: Path) -> None:
    """Streams tell what comes and go on where they were; SIGTERM ends everything well; what was said is still there afterwards."""
    store = f"sqlite:///{tmp_path}/jobs.db"
    with running("--store", store) as (process, address):
        asked(address, "/v1/instances", {"instances": PEOPLE})
        with told(address, "/v1/effects/stream") as effects, told(address, "/v1/decisions/stream") as decisions:
            say(address, "train", "start", "1")
            first, credentials = next_event(effects)
            _, decision = next_event(decisions)
        say(address, "train", "fail", "2")
        with told(address, "/v1/effects/stream", **{"Last-Event-ID": first}) as effects:
            second, failed = next_event(effects)
            process.send_signal(signal.SIGTERM)

            assert process.wait(PATIENCE) == 0
            assert effects.read() == b""
        assert process.stderr
        assert process.stderr.read() == ""
        assert (credentials["type"], credentials["subject"], credentials["id"]) == ("credentials", "train", first)
        assert (decision["instance"], decision["event"]) == (
            "train",
            {"name": "start", "by": None, "sender": None, "payload": {}},
        )
        assert (failed["type"], failed["data"], failed["specversion"]) == ("job-failed", {"cause": "own-error"}, "1.0")
    with running("--store", store) as (process, address):
        asked(address, "/v1/effects/acknowledgements", {"effects": [first]})
        with told(address, "/v1/effects/stream") as effects:
            assert next_event(effects)[0] == second
        repeated = asked(address, "/v1/events", envelope("train", "start", "1"), **EVENTS)

        assert isinstance(repeated, dict)
        assert repeated["repeated"] is True


def test_a_worker_fires_timers_by_itself(tmp_path: Path) -> None:
    """Nobody asks for it: a job whose time is up is stopped."""
    people = [*PEOPLE[:4], {**PEOPLE[4], "fields": {"kind": "training", "max-runtime": "1s"}}]
    with running("--store", f"sqlite:///{tmp_path}/jobs.db") as (_, address):
        asked(address, "/v1/instances", {"instances": people})
        with told(address, "/v1/decisions/stream") as decisions:
            say(address, "train", "start", "1")
            seen = [next_event(decisions)[1]]
            while seen[-1]["timer"] is None:
                seen.append(next_event(decisions)[1])

        assert (seen[-1]["timer"], seen[-1]["states"]) == ("max-runtime", ["stopped"])


@pytest.mark.needs("openssl")
def test_tls_and_tokens_beyond_loopback(tmp_path: Path) -> None:
    """With a certificate and tokens it listens anywhere, encrypted, to those who have one."""
    key, certificate, tokens = (tmp_path / name for name in ("key.pem", "certificate.pem", "tokens"))
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    subprocess.run([*made, "-keyout", key, "-out", certificate, *subject], check=True, capture_output=True)
    tokens.write_text(f"# who may read\nread:{TOKENS['read']}\n", "utf-8")
    anywhere = "0.0.0.0"  # noqa: S104  # the point of it
    files = ["--tokens", str(tokens), "--tls-certificate", str(certificate), "--tls-key", str(key)]
    with running("--store", "sqlite://", "--host", anywhere, *files) as (_, address):
        port = int(address.rpartition(":")[2])
        context = ssl.create_default_context(cafile=str(certificate))
        request = urllib.request.Request(
            f"https://localhost:{port}/v1/time", headers={"Authorization": f"Bearer {TOKENS['read']}"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE, context=context) as answer:  # noqa: S310  # our own address
            assert answer.headers["strict-transport-security"]
        with pytest.raises(urllib.error.HTTPError, match="401") as caught:
            urllib.request.urlopen(f"https://localhost:{port}/v1/time", timeout=PATIENCE, context=context)
        caught.value.close()


MISUSES = [  # words, what is said
    ("--host 0.0.0.0", "`0.0.0.0` can be reached from elsewhere: give tokens with --tokens FILE or OUTLAST_TOKENS"),
    (
        "--host example.org",
        "`example.org` can be reached from elsewhere: give tokens with --tokens FILE or OUTLAST_TOKENS",
    ),
    ("--tls-certificate {here}", "TLS needs both files: --tls-certificate and --tls-key"),
    ("--tls-certificate {here} --tls-key {here}", "{here}, {here}: no usable certificate and key: "),
    ("--tokens {here}", "{here}:1: write ROLE:TOKEN, one on a line; a role is one of `read`, `write`, `admin`"),
    ("--ahead soon", "--ahead: `soon` is not a duration"),
    ("--leap 1y", "--leap: `1y` is not a duration"),
    ("--store nowhere", "`nowhere` is no store: write sqlite:///FILE or postgresql://USER@HOST/DATABASE"),
    ("--reading A-02=x", "A-02"),
    ("--port {port}", "cannot listen on 127.0.0.1:{port}: Address already in use"),
]


@pytest.mark.parametrize(("words", "said"), MISUSES, ids=[words for words, _ in MISUSES])
def test_what_is_not_served(
    outlast: Outlast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, said: str
) -> None:
    """Is said in one line, before anything listens."""
    monkeypatch.chdir(tmp_path)
    here = Path("here.txt")
    here.write_text("This is a text.\n", "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        filled = {"here": here, "port": taken.getsockname()[1]}
        done = outlast(
            "serve", "sagemaker", "--store", "sqlite:///store.db", *words.format(**filled).split(), columns=120
        )

    assert (done.exit_code, done.stdout) == (2, "")
    assert [file.name for file in tmp_path.iterdir()] == ["here.txt"]
    assert said.format(**filled) in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_the_extra(outlast: Outlast, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what to install."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "outlast.service.server", raising=False)
    done = outlast("serve", "sagemaker", "--store", "sqlite://")

    assert (done.exit_code, done.stderr) == (
        2,
        "outlast: `outlast serve` needs more than the core: pip install 'outlast[service]'\n",
    )

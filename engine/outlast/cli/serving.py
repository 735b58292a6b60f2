"""`outlast serve`: a store behind HTTP."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import attrs
import click
from rich.text import Text

from outlast import __version__, loading
from outlast.cli import finding
from outlast.cli.terminal import complain, show
from outlast.errors import MissingExtra, MisuseError
from outlast.moments import parse_duration
from outlast.plan import Plan
from outlast.service.address import Address
from outlast.service.settings import USUAL
from outlast.service.tokens import NOBODY, Tokens

VARIABLE = "OUTLAST_TOKENS"


@click.command()
@click.argument("system", required=False, shell_complete=finding.complete_system)
@click.option(
    "--store",
    "url",
    metavar="URL",
    required=True,
    help="sqlite:///FILE or postgresql://USER@HOST/DATABASE; made if it is not there.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    help="Where to listen; 127.0.0.1 unless said otherwise. Beyond loopback only with tokens.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, help="8000 unless said otherwise; 0: any that is free."
)
@click.option(
    "--tokens",
    "tokens_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"A file of ROLE:TOKEN, one on a line; roles are read, write, admin. Or in the variable {VARIABLE}.",
)
@click.option(
    "--tls-certificate",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The certificate chain, PEM.",
)
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its private key, PEM.")
@finding.readings_option
@click.option(
    "--rate",
    type=click.FloatRange(0),
    default=USUAL.rate,
    help="Requests a second of one caller, 100 unless said otherwise; 0: no limit.",
)
@click.option(
    "--max-body", type=click.IntRange(1), default=USUAL.body, help="Bytes of a request, 1 MiB unless said otherwise."
)
@click.option(
    "--ahead",
    metavar="DURATION",
    default="5m",
    help="How far in the future an event may say it happened, 5m unless said otherwise.",
)
@click.option(
    "--leap",
    metavar="DURATION",
    default="180d",
    help="How far beyond everything the store knows time may go on before the clock is not believed, 180d unless said otherwise.",
)
@click.option("--conformance", is_flag=True, help="Also answer the cases of conformance tables, at /v1/conformance.")
def serve_command(
    system: str | None,
    url: str,
    host: str,
    port: int,
    tokens_file: Path | None,
    tls_certificate: Path | None,
    tls_key: Path | None,
    readings: tuple[str, ...],
    rate: float,
    max_body: int,
    ahead: str,
    leap: str,
    *,
    conformance: bool,
) -> None:
    """Serve a SYSTEM whose instances are in a store: events in, effects out, timers fired at their deadline.

    Without a SYSTEM it is the one the store is under, as the store keeps it.

    Without tokens only this machine is listened to. SIGTERM ends it gracefully.
    """
    if system is None and readings:
        raise MisuseError("--reading needs a SYSTEM: without one the store is served as it is")
    plan = loading.load(system, finding.chosen_readings(readings)) if system is not None else None
    tokens, where = _tokens(tokens_file), Address(host, port, tls_certificate, tls_key)
    where.check(secured=bool(tokens))
    leaping = _duration("--leap", leap)
    limits = attrs.evolve(
        USUAL, rate=rate or None, burst=max(1, int(2 * rate)), body=max_body, ahead=_duration("--ahead", ahead)
    )
    try:
        app, server = (importlib.import_module(f"outlast.service.{name}") for name in ("app", "server"))
    except ModuleNotFoundError as error:
        if error.name not in ("starlette", "uvicorn"):
            raise
        raise MissingExtra("`outlast serve`", "service") from error
    with server.listen(where) as sock:  # first of all: where nobody can be served, no store is made
        deck = app.open_deck(
            url,
            plan,
            stories=loading.scenarios(system) if system is not None else {},
            tokens=tokens,
            limits=limits,
            leap=leaping,
            version=__version__,
        )
        if not where.is_loopback and not where.encrypted:
            complain(
                Text(
                    "outlast: tokens travel in the clear: say --tls-certificate and --tls-key, or let a proxy speak TLS"
                )
            )
        server.serve(deck, where, sock, conformance=conformance, ready=lambda address: _ready(deck.plan, address))


def _ready(plan: Plan, address: str) -> None:
    show(Text(f"{plan.title or plan.name}: {address}"))


def _duration(option: str, text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise MisuseError(f"{option}: {error}") from error


def _tokens(file: Path | None) -> Tokens:
    """The tokens in a file, or in the environment. Raises MisuseError, OSError."""
    if file is not None:
        return Tokens.read(file.read_text("utf-8", errors="replace"), str(file))
    text = os.environ.get(VARIABLE)
    return Tokens.read(text, VARIABLE) if text is not None else NOBODY

"""Faults in copies of the bundled specifications, each with the property that must be refuted by it."""

from __future__ import annotations

from pathlib import Path

import attrs

from outlast import catalog, loading
from outlast.plan import Plan


@attrs.frozen
class Fault:
    """`old` becomes `new` in a file, wherever it stands, and `property` no longer holds."""

    name: str
    file: str
    old: str
    new: str
    property: str
    system: str = "sagemaker"

    def planted(self, folder: Path) -> Plan:
        """The plan of a copy with the fault, made in `folder`."""
        for source in sorted(catalog.bundled()[self.system].glob("*.yaml")):
            text = source.read_text("utf-8")
            if source.name == self.file:
                assert self.old in text, f"`{self.old}` does not stand in {self.file}"
                text = text.replace(self.old, self.new)
            (folder / source.name).write_text(text, encoding="utf-8")
        return loading.load(folder)


def _job(name: str, old: str, new: str, claim: str) -> Fault:
    return Fault(name, "job.yaml", old, new, claim)


_BOTH = "effective: {center: background-enabled, application: background-enabled}"
_SETTLED = "domain is tip-enabled and domain.effective and session is signed-in"
_STOP = "- {if: background is present, do: [{stop: background}]}                   # INF-21\n              - {emit: {credentials: {source: "
_EMIT = "- {emit: {credentials: {source: "

FAULTS = (
    Fault("the application's switch is not asked", "studio-domain.yaml", _BOTH, "effective: {center: background-enabled}", "made-while-effective"),
    Fault("the instance's switch is not asked", "studio-domain.yaml", _BOTH, "effective: {application: background-enabled}", "made-while-effective"),
    Fault("sixteen minutes", "system.yaml", "{value: 15m, because: TIP-28}", "{value: 16m, because: TIP-28}", "grace-is-short"),
    Fault("a microsecond too many", "system.yaml", "{value: 15m, because: TIP-28}", "{value: 15m 1us, because: TIP-28}", "gone-with-its-background-session"),
    Fault("a sign-in has a quarter of an hour more", "system.yaml", "{value: 15m, because: TIP-28}", "{value: 30m, because: TIP-28}", "gone-with-its-sign-in"),
    Fault("a background session lasts a minute longer", "background-session.yaml", "after: duration", "after: duration + 1m", "background-sessions-end"),
    _job("signing in again rescues", "when: A-05 is rescue and background is absent", "when: background is absent", "no-way-back"),
    _job("grace ends on the role", "within: grace, to: failed", "within: grace, to: running-role", "no-way-back"),
    _job("a waiting job fails with its session", "event: [background.expired, background.revoked], because: INF-22", "event: [background.expired, background.revoked], to: grace-period, because: INF-22", "waiting-is-safe"),
    _job("a restart binds to the role", "when: binds-background, to: running-background,\n     because: [TIP-38", "when: binds-background, to: running-role,\n     because: [TIP-38", "role-only-without-tip"),
    _job("a restart keeps what it had", "when: binds-interactive and A-03 is remainder,\n     to: running-interactive", "when: binds-interactive and A-03 is remainder,\n     to: running-background", "made-while-effective"),
    _job("signing out is not heard", "event: session.signed-out, to: grace-period", "event: session.signed-out", "interactive-has-a-user"),
    _job("a revoked sign-in is not heard", "event: session.revoked, to: grace-period", "event: session.revoked", "interactive-has-a-user"),
    _job("an expired sign-in is not heard", "event: session.expired, to: grace-period", "event: session.expired", "interactive-has-a-user"),
    _job("an expired background session is not heard", "event: background.expired, to: grace-period", "event: background.expired", "background-has-a-session"),
    _job("a revoked background session is not heard", "event: background.revoked, to: grace-period", "event: background.revoked", "background-has-a-session"),
    _job("signing out ends it all", "because: [TIP-01, TIP-02]}\n  - {id: background-expires", "to: grace-period, because: [TIP-01, TIP-02]}\n  - {id: background-expires", "outlives-its-user"),
    _job("nobody is gone and still served", "because: [TIP-01, TIP-02]}\n  - {id: background-expires", "to: grace-period, because: [TIP-01, TIP-02]}\n  - {id: background-expires", "user-may-be-gone"),
    _job("the role has a session", "event: [session.signed-out, session.revoked, session.expired], because: INF-06", "event: [session.signed-out, session.revoked, session.expired], to: grace-period, because: INF-06", "role-has-no-session-to-lose"),
    _job("a switch moves a job off the role", "{id: role-no-switch, from: running-role,", "{id: role-no-switch, from: running-role, to: running-interactive,", "role-has-no-session-to-lose"),
    _job("TIP off moves every job", "when: domain.effective, because: TIP-21}\n  - {id: tip-off-pinned", "when: domain.effective, to: running-interactive, because: TIP-21}\n  - {id: tip-off-pinned", "protected-while-effective"),
    _job("UBS off moves every job", "when: domain is not tip-disabled, because: [TIP-40, TIP-42]", "when: domain is not tip-disabled, to: running-interactive, because: [TIP-40, TIP-42]", "keeps-its-session"),
    _job("TIP off moves no job", "when: switches-now and session is signed-in,\n     to: running-interactive,", "when: switches-now and session is signed-in,", "order-of-the-switches"),
    _job("UBS off, second, moves no job", "when: switches-late and session is signed-in, to: running-interactive,", "when: switches-late and session is signed-in,", "order-of-the-switches"),
    _job("nobody to move to, and it stays", "when: switches-now and session is not signed-in,\n     to: grace-period,", "when: switches-now and session is not signed-in,", "background-has-a-session"),
    _job("TIP off takes the sign-in away", "{id: stays-tip-off, from: running-interactive,", "{id: stays-tip-off, from: running-interactive, to: grace-period,", "settings-leave-interactive-alone"),
    _job("UBS off moves to the role", "{id: stays-ubs-off, from: running-interactive,", "{id: stays-ubs-off, from: running-interactive, to: running-role,", "settings-leave-interactive-alone"),
    _job("on again binds anew", "{id: enabled-again, from: running,", "{id: enabled-again, from: running, to: running-interactive,", "on-again-changes-nothing"),
    _job("grace is not part of the runtime", "{id: max-runtime, from: executing,", "{id: max-runtime, from: running,", "runtime-is-the-limit"),
    _job("a second too many", "after: max-runtime,", "after: max-runtime + 1s,", "runtime-is-the-limit"),
    _job("the session outlives its job", "exit: [{if: background is present, do: [{stop: background}]}]", "exit: [{if: background is present and kind == pipeline, do: [{stop: background}]}]", "no-session-left-over"),
    _job("the waiting session is kept", _STOP + "interactive", _EMIT + "interactive", "one-session-at-a-time"),
    _job("the waiting session is kept on the role", _STOP + "iam-role", _EMIT + "iam-role", "one-session-at-a-time"),
    _job("resumable from nothing", "when: kind == training and checkpoint,", "when: kind == training,", "only-checkpoints-resume"),
    _job("not resumable at all", "when: kind == training and checkpoint,", "when: kind == processing and checkpoint,", "checkpoints-count"),
    _job("nobody is signed in", f"binds-background:  {_SETTLED}", "binds-background:  domain is tip-enabled and domain.effective", "made-for-somebody-signed-in"),
    _job("TIP is not asked", f"binds-background:  {_SETTLED}", "binds-background:  domain.effective and session is signed-in", "made-while-tip-is-on"),
    _job("never completed", "to: completed, because", "to: stopped, because", "can-be-completed"),
    _job("never resumed", "event: restart, when: ", "event: restart, when: kind == pipeline and ", "can-be-resumed"),
)  # fmt: skip


def _endpoint(name: str, old: str, new: str, claim: str) -> Fault:
    return Fault(name, "endpoint.yaml", old, new, claim, "tcp")


def _program(name: str, old: str, new: str, claim: str) -> Fault:
    return Fault(name, "application.yaml", old, new, claim, "tcp")


_RESET = (
    "do: [{send: {event: segment-rst, to: peer, after: network-delay, with: {seq: snd-nxt}}}], because: RFC-3.10.5-03"
)

TCP_FAULTS = (
    _endpoint("a caller expects the SYN again", "do: [{set: {rcv-nxt: event.seq + 1}}, {raise: acknowledge}], because: [RFC-3.10.7.3-03", "do: [{set: {rcv-nxt: event.seq}}, {raise: acknowledge}], because: [RFC-3.10.7.3-03", "numbers-agree"),
    _endpoint("a caller is connected by a SYN alone", "event: segment-syn, to: syn-received, do: [{set: {rcv-nxt", "event: segment-syn, to: established, do: [{set: {rcv-nxt", "heard-by-the-peer"),
    _endpoint("an answer that is not acknowledged", "- {id: acknowledge, from: [syn-received, synchronized]", "- {id: acknowledge, from: [syn-received, close-wait, closing]", "calls-connect"),
    _endpoint("a call meets a call and is refused", "{id: calls-cross, from: syn-sent, event: segment-syn, to: syn-received", "{id: calls-cross, from: syn-sent, event: segment-syn, to: closed", "calls-may-cross"),
    _endpoint("the answers that cross are out of sequence", "when: event.seq + 1 == rcv-nxt and event.ack == snd-nxt,\n     to: established", "when: event.seq == rcv-nxt and event.ack == snd-nxt,\n     to: established", "crossed-calls-connect"),
    _endpoint("whoever is reset listens again", "event: segment-rst, when: opened is passive, to: listen", "event: segment-rst, to: listen", "only-listeners-listen"),
    _endpoint("an answer starts the user timeout again", "{id: user-timeout, from: [opening, fin-sent],", "{id: user-timeout, from: [syn-sent, syn-received, fin-sent],", "calls-are-given-up"),
    _endpoint("a reset connection listens again", "{id: reset, from: synchronized, event: segment-rst, to: closed", "{id: reset, from: synchronized, event: segment-rst, to: listen", "no-way-back-to-opening"),
    _endpoint("a FIN too late opens the sending side again", "to: closing,\n     do: [{set: {rcv-nxt", "to: close-wait,\n     do: [{set: {rcv-nxt", "no-way-back-to-sending"),
    _endpoint("a FIN counts each time it is sent", "to: fin-wait-1, do: [{set: {rto: 2 * rto}}]", "to: fin-wait-1, do: [{set: {rto: 2 * rto, snd-nxt: snd-nxt + 1}}]", "fin-takes-a-number"),
    _endpoint("a FIN that crosses is an acknowledgment", "to: closing,\n     do: [{set: {rcv-nxt", "to: fin-wait-2,\n     do: [{set: {rcv-nxt", "half-closed"),
    _endpoint("who closes second is as the first", "{id: close-second, from: close-wait, event: close, to: last-ack", "{id: close-second, from: close-wait, event: close, to: fin-wait-1", "half-open-to-the-end"),
    _endpoint("FINs that cross are taken for the first", "to: closing,\n     do: [{set: {rcv-nxt", "to: last-ack,\n     do: [{set: {rcv-nxt", "one-closes-second"),
    _endpoint("a FIN that crosses is ignored", "{id: closes-cross, from: fin-wait-1,", "{id: closes-cross, from: fin-wait-2,", "closes-may-cross"),
    _endpoint("no wait after a crossed close", "{id: both-acknowledged, from: closing, event: segment-ack, when: event.seq == rcv-nxt and event.ack == snd-nxt, to: time-wait", "{id: both-acknowledged, from: closing, event: segment-ack, when: event.seq == rcv-nxt and event.ack == snd-nxt, to: closed", "crossed-closes-wait"),
    _endpoint("an acknowledging FIN is only a FIN", "{id: peer-agrees, from: fin-wait-1, event: segment-fin, when: event.seq == rcv-nxt and event.ack == snd-nxt, to: time-wait", "{id: peer-agrees, from: fin-wait-1, event: segment-fin, when: event.seq == rcv-nxt and event.ack == snd-nxt, to: closing", "straight-to-time-wait"),
    _endpoint("FINs that cross start the user timeout again", "from: [opening, fin-sent], after: user-timeout", "from: [opening, fin-wait-1, closing, last-ack], after: user-timeout", "fins-are-given-up"),
    _endpoint("no TIME-WAIT", "after: 2 * msl, to: closed", "after: 0s, to: closed", "last-fin-is-answered"),
    _endpoint("TIME-WAIT of three MSL", "after: 2 * msl, to: closed", "after: 3 * msl, to: closed", "time-wait-ends"),
    _program("nobody hears the close", "do: [{send: {event: close, to: connection}}],\n     because: [RFC-3.9.1.4-01", "\n     because: [RFC-3.9.1.4-01", "can-be-closed"),
    _endpoint("an abort without a RST", _RESET, "because: RFC-3.10.5-03", "reset-reaches-the-peer"),
    _endpoint("a RST with a number of its own", _RESET, _RESET.replace("seq: snd-nxt", "seq: iss"), "reset-reaches-the-peer"),
    _endpoint("an ACK nobody can explain is dropped", "{id: neither-syn-nor-rst, from: syn-sent, event: [segment-ack, segment-fin], when: event.ack == snd-nxt,", "{id: neither-syn-nor-rst, from: syn-sent, event: [segment-ack, segment-fin],", "half-open-is-found"),
    _endpoint("a RST near enough counts", "when: event.seq != rcv-nxt,\n     do: [{raise: acknowledge}], because: RFC-3.10.7.4-05", "when: event.seq > rcv-nxt + 1,\n     do: [{raise: acknowledge}], because: RFC-3.10.7.4-05", "guesses-do-no-harm"),
    _endpoint("a SYN in the window resets", "event: [segment-syn, segment-syn-ack], do: [{raise: acknowledge}],", "event: [segment-syn, segment-syn-ack], to: closed,", "guesses-do-no-harm"),
    _program("talking at once", "{id: connect, from: idle, event: connect, to: waiting", "{id: connect, from: idle, event: connect, to: talking", "talks-over-a-connection"),
    _program("a program that is not told", "{id: disconnected, from: [waiting, talking, winding-up, hanging-up]", "{id: disconnected, from: [talking, winding-up, hanging-up]", "hears-of-the-end"),
)  # fmt: skip


def _machine(name: str, old: str, new: str, claim: str) -> Fault:
    return Fault(name, "coffee-machine.yaml", old, new, claim, "tour")


TOUR_FAULTS = (
    _machine("a press is enough", "when: beans > 0, to: making", "to: making", "beans-for-every-cup"),
    _machine("beans are taken when grinding begins", "to: making, because: CM-2", "to: making, do: [{set: {beans: beans - 1}}], because: CM-2", "beans-for-every-cup"),
    _machine("the beans are enough", "done: making, to: pouring", "done: hopper, to: pouring", "ground-before-poured"),
    _machine("the water waits for the beans", "{id: heat,        from: heating, after: 20s", "{id: heat,        from: heating, after: 28s", "both-at-once"),
    _machine("it dozes off too late", "after: 15m, to: off", "after: 16m, to: off", "turns-itself-off"),
    _machine("an empty hopper stays empty", "when: beans + event.cups <= 10", "when: beans > 0 and beans + event.cups <= 10", "always-another-cup"),
)  # fmt: skip

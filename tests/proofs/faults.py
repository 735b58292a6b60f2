"""Faults in copies of the SageMaker specification, each with the property that must be refuted by it."""

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

    def planted(self, folder: Path) -> Plan:
        """The plan of a copy with the fault, made in `folder`."""
        for source in sorted(catalog.bundled()["sagemaker"].glob("*.yaml")):
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

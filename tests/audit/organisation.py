"""A made-up organisation at work for months, and the log it leaves: the auditor's opponent, which never asks the auditor anything.

People sign in and out, submit jobs, switches are flipped; a `System` whose `within` rows happen at random moments inside their bounds says what
becomes of it. What of that would be seen from outside is written down as CloudEvents and EventBridge events, a little later than it
happened. `spoiled` then makes the log one of a service that breaks the document, in ways it lists.
"""

from __future__ import annotations

import heapq
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import attrs

import outlast
from outlast.moments import DAY, HOUR, MINUTE, SECOND, format_instant, parse_instant
from outlast.run import Step, System, Terms

BEGIN = parse_instant("2026-01-05T06:00:00Z")
STATUS = {
    "running-background": ("InProgress", "Training"),
    "running-interactive": ("InProgress", "Training"),
    "running-role": ("InProgress", "Training"),
    "completed": ("Completed", "Completed"),
    "failed": ("Failed", "Failed"),
    "stopped": ("Stopped", "Stopped"),
}


@attrs.define(eq=False)
class Line:
    """A line of the log. `at` is the time it states, `order` where it stands in the log."""

    at: int
    order: int
    data: dict[str, Any]
    job: str = ""
    planted: str = ""
    """The kind of violation this line is the one to be found at."""
    raw: bytes | None = None


@attrs.define(eq=False)
class Job:
    """What the organisation knows of a job."""

    name: str
    kind: str
    user: str
    limit: int
    submitted: int
    started: int = 0
    bound: str = ""
    lost: int = 0
    """When it lost its session."""
    ended: int = 0
    end: str = ""
    lines: list[Line] = attrs.field(factory=list)


class Organisation:
    """Runs until the log has so many lines."""

    def __init__(self, seed: int, lines: int, users: int) -> None:
        self.random = random.Random(seed)
        self.size = lines
        self.system = System(outlast.load("sagemaker"), now=BEGIN, terms=Terms(resolve=f"seed:{seed}"))
        self.system.add("identity-center", "acme")
        self.system.add("studio-application", "studio")
        self.system.add("studio-domain", "ds", state="tip-enabled", center="acme", application="studio")
        self.users = [f"user-{number:03}" for number in range(users)]
        for user in self.users:
            self.system.add("interactive-session", user, state="signed-out", center="acme")
        self.jobs: dict[str, Job] = {}
        self.log: list[Line] = []
        self.agenda: list[tuple[int, int, Callable[[], None]]] = []
        self.turn = self.number = 0
        self.trust: list[tuple[int, bool]] = [(BEGIN, True)]

    # ---- the log

    def write(self, at: int, data: dict[str, Any], job: str = "") -> Line:
        """A line, delivered up to two minutes after the time it states."""
        line = Line(at, at + self.random.randrange(0, 120) * SECOND, data, job)
        self.log.append(line)
        if job in self.jobs:
            self.jobs[job].lines.append(line)
        return line

    def cloud(self, at: int, type_: str, /, **data: object) -> Line:
        """A CloudEvent."""
        self.number += 1
        head = {"specversion": "1.0", "id": f"e{self.number}", "source": "//acme", "type": type_}
        return self.write(
            at,
            {**head, "time": format_instant(at), "sequence": str(self.number), "data": data},
            str(data.get("job", "")),
        )

    def bridge(self, at: int, job: Job, status: str, secondary: str) -> Line:
        """An event of EventBridge about a job."""
        self.number += 1
        word = "Training" if job.kind == "training" else "Processing"
        detail: dict[str, Any] = {
            f"{word}JobName": job.name,
            f"{word}JobStatus": status,
            "StoppingCondition": {"MaxRuntimeInSeconds": job.limit // SECOND},
        }
        if word == "Training":
            detail["SecondaryStatus"] = secondary
        head = {"version": "0", "id": f"b{self.number}", "detail-type": f"SageMaker {word} Job State Change"}
        return self.write(
            at, {**head, "source": "aws.sagemaker", "time": format_instant(at), "detail": detail}, job.name
        )

    def lag(self) -> int:
        """How much later than it happened something is seen."""
        return self.random.randrange(0, 20) * SECOND

    # ---- life

    def plan(self, at: int, what: Callable[[], None]) -> None:
        """Do something at an instant."""
        self.turn += 1
        heapq.heappush(self.agenda, (at, self.turn, what))

    def run(self) -> None:
        """Live until the log is long enough, then let every job come to its end."""
        for user in self.users:
            self.plan(BEGIN + self.random.randrange(0, 12 * 60) * MINUTE, lambda user=user: self.sign_in(user))  # type: ignore[misc]
        for week in range(1, 40):
            self.plan(BEGIN + week * 7 * DAY + 3 * HOUR, self.flip)
        while self.agenda:
            at, _, what = heapq.heappop(self.agenda)
            self.watch(self.system.advance_to(at))
            what()

    @property
    def full(self) -> bool:
        """Whether the log is long enough."""
        return len(self.log) >= self.size

    @property
    def now(self) -> int:
        """The present instant."""
        return self.system.now

    def say(self, instance: str, event: str, payload: dict[str, Any] | None = None, by: str | None = None) -> Step:
        """An event, and what is seen of what it leads to."""
        step = self.system.send(instance, event, payload, by=by)
        self.watch((*step.preceded, step, *step.caused))
        return step

    def sign_in(self, user: str) -> None:
        """A user comes, submits jobs, and goes."""
        if self.full:
            return
        if self.say(user, "sign-in", by="user").taken == ("sign-in",):
            self.cloud(self.now, "user.signed-in", user=user)
            for _ in range(self.random.randrange(1, 4)):
                self.plan(self.now + self.random.randrange(1, 400) * MINUTE, lambda: self.submit(user))
            self.plan(self.now + self.random.randrange(30, 600) * MINUTE, lambda: self.sign_out(user))
        self.plan(self.now + self.random.randrange(14 * 60, 40 * 60) * MINUTE, lambda: self.sign_in(user))

    def sign_out(self, user: str) -> None:
        """A user goes, if still signed in."""
        if self.system[user].state == "signed-in":
            self.say(user, "sign-out", by="user")
            self.cloud(self.now, "user.signed-out", user=user)

    def flip(self) -> None:
        """An afternoon without background sessions; every other time without trust too; a new duration."""
        if self.full:
            return
        self.say("acme", "disable-background", by="administrator")
        self.cloud(self.now, "identity-center.background-disabled", instance="acme")
        self.plan(self.now + 5 * HOUR, self.flip_back)
        if len(self.trust) % 4 == 1:
            self.plan(self.now + HOUR, lambda: self.switch_trust("disable-tip", "domain.tip-disabled", to=False))
            self.plan(self.now + 3 * HOUR, lambda: self.switch_trust("enable-tip", "domain.tip-enabled", to=True))
        minutes = self.random.choice([15, 600, 4_000, 10_080])
        self.say("acme", "set-background-duration", {"duration": minutes * MINUTE}, by="administrator")
        self.cloud(self.now, "identity-center.background-duration", instance="acme", minutes=minutes)

    def flip_back(self) -> None:
        """Background sessions again."""
        self.say("acme", "enable-background", by="administrator")
        self.cloud(self.now, "identity-center.background-enabled", instance="acme")

    def switch_trust(self, event: str, type_: str, *, to: bool) -> None:
        """An administrator switches trusted identity propagation."""
        self.trust.append((self.now, to))
        self.say("ds", event, by="administrator")
        self.cloud(self.now, type_, domain="ds")

    def submit(self, user: str) -> None:
        """A job of a user who is there."""
        if self.system[user].state != "signed-in" or self.full:
            return
        name, kind = f"job-{len(self.jobs)}", self.random.choice(["training", "training", "processing"])
        limit = self.random.choice([HOUR, 6 * HOUR, DAY, 9 * DAY])
        job = self.jobs[name] = Job(name, kind, user, limit, self.now)
        self.system.add("job", name, kind=kind, max_runtime=limit, domain="ds", session=user)
        seconds = limit // SECOND
        self.cloud(self.now, "job.submitted", job=name, kind=kind, domain="ds", user=user, maxRuntimeInSeconds=seconds)
        if kind == "training":
            self.bridge(self.now + self.lag(), job, "InProgress", "Starting")
        self.plan(self.now + self.random.randrange(1, 10) * MINUTE, lambda: self.start(job))

    def start(self, job: Job) -> None:
        """The job's turn has come; if nobody is there, an hour later."""
        if not self.say(job.name, "start", by="service").accepted:
            if self.full:
                self.say(job.name, "stop", by="user")
            else:
                self.plan(self.now + HOUR, lambda: self.start(job))
            return
        job.started = self.now
        work = round(self.random.paretovariate(0.6) * 20 * MINUTE)
        work -= work % SECOND
        self.plan(self.now + min(work, 12 * DAY), lambda: self.end(job))
        if job.kind == "training":
            for part in (1, 2, 3):
                self.plan(self.now + work * part // 4 // SECOND * SECOND, lambda: self.progress(job))

    def progress(self, job: Job) -> None:
        """A checkpoint, and one more status that says what is known."""
        if not job.end and self.system[job.name].state != "pending":
            self.say(job.name, "write-checkpoint", by="service")
            self.cloud(self.now, "job.checkpoint-written", job=job.name)
            self.bridge(self.now + self.lag(), job, "InProgress", "Training")

    def end(self, job: Job) -> None:
        """The work is done, or has failed, or is called off."""
        if not job.end:
            event = self.random.choice(["finish"] * 8 + ["fail", "stop"])
            self.say(job.name, event, by="user" if event == "stop" else "service")

    def watch(self, steps: tuple[Step, ...]) -> None:
        """What is seen of steps, from outside."""
        for step in steps:
            job = self.jobs.get(step.instance)
            if job is None or step.cause == "start":
                continue
            for state in step.entered:
                if state == "grace-period":
                    job.lost = step.at
                if state not in STATUS:
                    continue
                status, secondary = STATUS[state]
                if not state.startswith("running-"):
                    job.end, job.ended = "max-runtime" if "max-runtime" in step.taken else state, step.at
                    secondary = "MaxRuntimeExceeded" if job.end == "max-runtime" else secondary
                elif job.bound:
                    continue  # that it runs on something else now is not seen
                else:
                    job.bound = state
                self.tell(step.at, job, status, secondary)
            if job.end and job.name in self.system.world:
                self.system.remove(job.name)

    def tell(self, at: int, job: Job, status: str, secondary: str) -> None:
        """A status, and those of little interest before and after it."""
        seen = at + self.lag()
        if job.kind == "training" and status == "InProgress":
            self.bridge(seen, job, status, "Downloading")
            seen += self.random.randrange(20, 90) * SECOND
            if job.limit < DAY and self.random.random() < 0.5:
                return
        if job.kind == "training" and status == "Completed":
            self.bridge(at, job, "InProgress", "Uploading")
        self.bridge(seen, job, status, secondary)


# ---- breaking the document, and the log


class Spoiler:
    """Makes the log one with violations, each in a job or setting of its own."""

    def __init__(self, organisation: Organisation) -> None:
        self.work, self.random = organisation, random.Random(25)
        self.expected: set[tuple[str, str, str]] = set()
        """(kind, instance, id of the line or nothing)."""
        self.used: set[str] = set()
        self.until = max(line.at for line in organisation.log) - 10 * DAY

    def victims(self, fits: Callable[[Job], bool], count: int) -> list[Job]:
        """Jobs nothing was done to yet, away from both ends of the log."""
        fitting = [
            job
            for job in self.work.jobs.values()
            if job.name not in self.used and job.started > BEGIN + DAY and job.ended < self.until and fits(job)
        ]
        chosen = self.random.sample(fitting, count)
        self.used |= {job.name for job in chosen}
        return chosen

    def expect(self, kind: str, instance: str, line: Line | None = None) -> None:
        """What the audit is to find."""
        self.expected.add((kind, instance, line.data["id"] if line else ""))

    def drop(self, job: Job, after: int) -> None:
        """Nothing is told of the job from an instant on."""
        gone = {id(line) for line in job.lines if line.at >= after}
        self.work.log = [line for line in self.work.log if id(line) not in gone]

    def all_of_them(self) -> None:
        """Twenty-five violations, of ten kinds."""
        work = self.work

        def lost(job: Job) -> bool:
            """It failed for want of its session, and its own work did not fail in that time."""
            return job.end == "failed" and job.lost > 0 and job.ended > job.lost and job.kind == "training"

        for job in self.victims(lost, 4):
            self.drop(job, job.lost)
            self.expect("late", job.name, work.bridge(job.lost + 17 * MINUTE + 4 * SECOND, job, "Failed", "Failed"))
        for job in self.victims(lost, 3):
            self.drop(job, job.lost)
            self.expect("missing", job.name)
        for job in self.victims(lost, 3):
            self.drop(job, job.lost)
            self.expect("overdue", job.name, work.bridge(job.lost + 25 * MINUTE, job, "InProgress", "Training"))
            work.bridge(job.lost + 40 * MINUTE, job, "Completed", "Completed")
        for job in self.victims(lambda job: job.end == "completed" and job.kind == "training" and job.limit > DAY, 3):
            self.drop(job, job.started + 3 * MINUTE)
            at = job.started + 4 * MINUTE
            self.expect("early", job.name, work.bridge(at, job, "Stopped", "MaxRuntimeExceeded"))
        for job in self.victims(lambda job: job.end == "max-runtime" and not job.lost, 3):
            end = job.started + job.limit
            self.drop(job, end)
            self.expect("overdue", job.name, work.bridge(end + 20 * MINUTE, job, "Completed", "Completed"))
        for job in self.victims(lambda job: job.end == "completed" and job.kind == "training", 2):
            self.expect("impossible", job.name, work.bridge(job.ended + 5 * MINUTE, job, "InProgress", "Training"))
            work.bridge(job.ended + 9 * MINUTE, job, "Completed", "Completed")
        for job in self.victims(lambda job: job.end == "failed" and job.kind == "processing", 1):
            self.expect("impossible", job.name, work.bridge(job.ended + 5 * MINUTE, job, "InProgress", ""))
            work.bridge(job.ended + 9 * MINUTE, job, "Completed", "Completed")
        for job in self.victims(lambda job: job.end == "completed" and job.bound == "running-background", 1):
            self.drop(job, job.started + 3 * MINUTE)
            line = work.cloud(job.started + 4 * MINUTE, "background-session.expired", job=job.name)
            self.expect("early", f"{job.name}.background", line)
            work.bridge(job.started + 9 * MINUTE, job, "Failed", "Failed")
        self.without_a_session()
        self.settings()

    def without_a_session(self) -> None:
        """Two jobs that start though nobody is signed in: after whoever was had signed out for hours."""
        work = self.work
        outs: dict[str, list[Line]] = {}
        ins: dict[str, list[int]] = {}
        for line in work.log:
            if line.data.get("type") == "user.signed-out" and BEGIN + 2 * DAY < line.at < self.until:
                outs.setdefault(line.data["data"]["user"], []).append(line)
            if line.data.get("type") == "user.signed-in":
                ins.setdefault(line.data["data"]["user"], []).append(line.at)
        trusted = [at for at, on in work.trust if not on]
        for number, user in enumerate(self.random.sample(sorted(outs), 2)):
            quiet = [
                line
                for line in outs[user]
                if not any(line.at < at < line.at + 8 * HOUR for at in ins[user])
                and not any(at - DAY < line.at < at + DAY for at in trusted)
            ]
            out = self.random.choice(quiet)
            job = Job(f"unsigned-{number}", "training", out.data["data"]["user"], HOUR, out.at + 3 * HOUR)
            at = job.submitted
            work.cloud(
                at, "job.submitted", job=job.name, kind="training", domain="ds", user=job.user, maxRuntimeInSeconds=3600
            )
            self.expect("refused", job.name, work.bridge(at + 5 * MINUTE, job, "InProgress", "Training"))
            work.bridge(at + 30 * MINUTE, job, "Completed", "Completed")

    def settings(self) -> None:
        """Values the document does not allow."""
        work, middle = self.work, (BEGIN + self.until) // 2 // SECOND * SECOND
        for minutes in (14, 129_601):
            at = middle + minutes * SECOND
            self.expect(
                "refused",
                "acme",
                work.cloud(at, "identity-center.background-duration", instance="acme", minutes=minutes),
            )
        line = work.cloud(
            middle,
            "job.submitted",
            job="endless",
            kind="training",
            domain="ds",
            user="user-000",
            maxRuntimeInSeconds=29 * 86_400,
        )
        self.expect("refused", "endless", line)


@attrs.define(eq=False)
class Mishaps:
    """What went wrong with the log itself."""

    duplicates: int = 0
    late: list[str] = attrs.field(factory=list)
    """Ids of lines that come when their time is long over."""
    unreadable: list[bytes] = attrs.field(factory=list)
    ignored: int = 0
    lost: int = 0


def written(organisation: Organisation, seed: int) -> tuple[list[bytes], Mishaps]:
    """The log as bytes: delivered again, out of order, damaged, and with a gap in what the source numbers."""
    chance, mishaps = random.Random(seed), Mishaps()
    numbered = sorted(line.order for line in organisation.log)
    middle = numbered[len(numbered) // 2]
    rows: list[tuple[int, int, bytes]] = []
    cloud = 0
    for position, line in enumerate(sorted(organisation.log, key=lambda line: line.order)):
        if "sequence" in line.data:
            cloud += 1
            line.data["sequence"] = str(cloud + (3 if line.order > middle else 0))
        text = json.dumps(line.data).encode()
        rows.append((line.order, position, text))
        if chance.random() < 0.01:
            mishaps.duplicates += 1
            rows.append((line.order + chance.randrange(1, 20 * 60) * MINUTE, position, text))
        if chance.random() < 0.001 and line.data.get("detail", {}).get("SecondaryStatus") == "Training":
            again = {**line.data, "id": f"late-{position}"}
            mishaps.late.append(again["id"])
            rows.append((line.order + chance.randrange(30, 90) * MINUTE, position, json.dumps(again).encode()))
    mishaps.lost = 3
    damaged = [
        b"\xff\xfe{}",
        b"{",
        b"[]",
        b'{"specversion": "1.0"}',
        b'{"detail-type": "x", "id": "1", "source": "y"}',
        b"null",
    ]
    for index, text in enumerate(damaged):
        mishaps.unreadable.append(text)
        rows.append((middle + index * HOUR, 0, text))
    for index in range(4):
        mishaps.ignored += 1
        other = {
            "detail-type": "SageMaker Model State Change",
            "source": "aws.sagemaker",
            "id": f"m{index}",
            "time": format_instant(middle),
        }
        rows.append((middle + index * DAY, 0, json.dumps(other).encode()))
    return [text for _, _, text in sorted(rows)], mishaps


def ids(lines: list[bytes]) -> Iterator[tuple[int, str]]:
    """Number and id of every line that has one."""
    for number, text in enumerate(lines, 1):
        try:
            data = json.loads(text)
        except ValueError:
            continue
        if isinstance(data, dict) and "id" in data:
            yield number, data["id"]

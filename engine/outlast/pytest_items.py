"""A table of cases as pytest sees it: a file of items, each of which is judged. Loaded by the plugin when there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from outlast import loading
from outlast.errors import OutlastError, SpecError
from outlast.proofs.conformance.implementations import runner_at
from outlast.proofs.conformance.judging import judge
from outlast.proofs.conformance.protocol import Broken, Runner
from outlast.proofs.conformance.reading import FittedCase, fit, is_suite, load_suite, system_of

_RUNNER: pytest.StashKey[Runner] = pytest.StashKey()


def table(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The cases of a file, if it is a suite."""
    return TableFile.from_parent(parent, path=path) if is_suite(path) else None


class TableFile(pytest.File):
    """A file of cases."""

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each case."""
        try:
            suite = load_suite(self.path)
            home = system_of(self.path, suite)
            if home is None:
                raise self.CollectError(f"{self.path} does not say its system: write `system: NAME` at its top")
            cases = fit(loading.load(home), suite)
        except SpecError as error:
            raise self.CollectError("\n".join(problem.pretty() for problem in error.problems)) from error
        except OutlastError as error:
            raise self.CollectError(str(error)) from error
        for case in cases:
            yield CaseItem.from_parent(self, name=str(case.case.id), case=case)


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: FittedCase, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]  # pytest hands its own arguments through
        self.case = case
        self.user_properties += [("clause", str(clause)) for clause in case.case.because]
        self.user_properties.append(("level", str(case.case.level)))

    def runtest(self) -> None:
        """Judge it."""
        result = judge(self.case, runner_of(self.config))
        if result.status in ("unimplemented", "contested"):
            pytest.skip(f"{result.status}: {result.reason or result.differences[0]}")
        if result.status == "not-strict":
            pytest.xfail("\n".join(result.lines()))
        if result.status == "failed":
            pytest.fail("\n".join(result.lines()), pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file, the line and the id of the row."""
        place = self.case.case.place
        return self.path, place.line - 1 if place else None, self.name


def runner_of(config: pytest.Config) -> Runner:
    """The implementation asked for: one for the whole session."""
    if _RUNNER not in config.stash:
        where = str(config.getoption("--outlast-against"))
        try:
            config.stash[_RUNNER] = runner_at(where)
        except (OutlastError, Broken) as error:
            raise pytest.UsageError(f"--outlast-against {where}: {error}") from error
        config.add_cleanup(config.stash[_RUNNER].close)
    return config.stash[_RUNNER]

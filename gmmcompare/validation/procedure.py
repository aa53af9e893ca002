"""How any sampler is validated: its sandbox, what checks found, what failures come to."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from gmmcompare.runtime.errors import GmmCompareError, InputError
from gmmcompare.runtime.progress import Progress, Step, no_progress
from gmmcompare.runtime.tasks import OutOfTimeError, TaskError, Tasks
from gmmcompare.validation.checks.sbc import SbcOutcome
from gmmcompare.validation.checks.scene import Scene
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.sandbox import Sandbox
from gmmcompare.validation.sandbox.spread import SpreadSandbox
from gmmcompare.validation.sandbox.subject import BrokenError, SubjectKind
from gmmcompare.validation.sandbox.target import Target
from gmmcompare.validation.verdict import Check, Diagnosis, Validation

KERNEL_CALL_LIMIT = 10.0
SAMPLER_CALL_LIMIT = 120.0


@dataclass(frozen=True)
class Settings:
    """What a user may choose of a validation; see `run.validate`."""

    quick: bool = False
    seed: int = 1
    out: Path | None = None
    geweke: bool = False
    jobs: int = 2
    tasks: Tasks | None = None
    time_limit: float = 900.0
    call_limit: float | None = None
    strict: bool = False
    progress: Progress = no_progress


@dataclass
class Procedure(ABC):
    """One validation under way; what is checked is said by `all_checks`."""

    target: Target
    settings: Settings
    printed: str = ""
    kind: str = ""
    checks: list[Check] = field(default_factory=list)
    noticed: list[Reason] = field(default_factory=list)
    untested: list[Reason] = field(default_factory=list)
    scope: list[Reason] = field(default_factory=list)
    diagnosis: Diagnosis = field(default_factory=Diagnosis)

    def validation(self) -> Validation:
        """Run all checks."""
        started = time.monotonic()
        limit = self.settings.call_limit or SAMPLER_CALL_LIMIT
        with self._sandbox(limit, started + self.settings.time_limit) as sandbox:
            with self.failures_noted("contract"):
                kind = sandbox.start()
                self.kind = kind
                if self.settings.call_limit is None and kind == "kernel":
                    sandbox.call_limit = KERNEL_CALL_LIMIT
                self.all_checks(sandbox, kind)
            self._note_what_it_said(sandbox)
        if any(check.verdict == "failed" for check in self.checks):
            # A call that failed is the best diagnosis there is.
            reasons = (*self._broken_calls(), *self.diagnosis.reasons)
            self.diagnosis = replace(self.diagnosis, reasons=reasons)
        return Validation(
            self.target.name,
            self.kind,
            tuple(self.checks),
            self.diagnosis,
            tuple(self.noticed),
            tuple(self.untested),
            self.settings.seed,
            time.monotonic() - started,
            scope=tuple(self.scope),
        )

    def _sandbox(self, limit: float, deadline: float) -> Sandbox:
        if self.settings.tasks is None:
            return Sandbox(self.target, self.settings.jobs, limit, deadline)
        return SpreadSandbox(self.target, self.settings.tasks, limit, deadline)

    @property
    @abstractmethod
    def first_scene(self) -> Scene:
        """The first problem on which the sampler is tried; known once it is validated."""

    @abstractmethod
    def anew(self, target: Target, settings: Settings) -> Procedure:
        """Return the same procedure for another sampler, with nothing found yet."""

    @abstractmethod
    def all_checks(self, sandbox: Sandbox, kind: SubjectKind) -> None:
        """Make every check that fits the sampler, and note what it found."""

    @property
    def store(self) -> Path | None:
        """The folder in which replicates of whole samplers are kept."""
        return self.settings.out

    def keep_ranks(self, outcome: SbcOutcome, name: str) -> None:
        """Write the ranks where a folder is given and there are any."""
        if self.settings.out is not None and outcome.names:
            outcome.save(self.settings.out / f"{name}.nc")

    @contextmanager
    def failures_noted(self, name: str) -> Iterator[Step]:
        """Turn a broken call into a failed check; what follows is skipped by whoever called.

        Yields what the check tells of its progress.
        """
        step = partial(self.settings.progress, name)
        step(0.0)
        try:
            yield step
        except OutOfTimeError:
            reason = Reason(Code.OUT_OF_TIME, {"done": 0, "wanted": 0})
            self.checks.append(Check(name, "inconclusive", (reason,)))
        except (InputError, TaskError):
            raise
        except GmmCompareError as error:
            broken = error if isinstance(error, BrokenError) else BrokenError(str(error), "failed")
            numbers = {"what": broken.what, "message": str(broken)}
            data = {"what": broken.what, "traceback": broken.details}
            self.checks.append(
                Check(name, "failed", (Reason(Code.BROKEN_CALL, numbers),), data=data)
            )
        finally:
            step(1.0)

    def _broken_calls(self) -> list[Reason]:
        return [r for c in self.checks for r in c.reasons if r.code == Code.BROKEN_CALL]

    def _note_what_it_said(self, sandbox: Sandbox) -> None:
        self.printed = sandbox.printed
        if self.printed:
            log = "" if self.settings.out is None else f"{self.settings.out}/printed.log"
            lines = self.printed.count("\n") + 1
            self.noticed.append(Reason(Code.PRINTED, {"lines": lines, "log": log}))
        self.noticed += [Reason(Code.WARNED, {"message": text}) for text in sandbox.warnings]

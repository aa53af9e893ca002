"""`validate`: run the checks that fit a sampler, and say what they amount to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmcompare.runtime.errors import GmmCompareError, InputError
from gmmcompare.runtime.progress import Progress, Step, no_progress
from gmmcompare.runtime.tasks import OutOfTimeError, TaskError, Tasks
from gmmcompare.validation.checks.conditionals import check_conditionals
from gmmcompare.validation.checks.contract import Contract, check_contract
from gmmcompare.validation.checks.exact_posterior import check_exact_posterior
from gmmcompare.validation.checks.geweke import check_joint_distribution
from gmmcompare.validation.checks.invariance import QUICK, Plan, check_invariance
from gmmcompare.validation.checks.ranks import QUICK_SBC, SbcPlan
from gmmcompare.validation.checks.sbc import SbcOutcome, check_sbc
from gmmcompare.validation.checks.scenes import Scene
from gmmcompare.validation.diagnosis.suspects import diagnose, suspects_of_runs
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.sandbox import Sandbox
from gmmcompare.validation.sandbox.spread import SpreadSandbox
from gmmcompare.validation.sandbox.subject import BrokenError, SubjectKind
from gmmcompare.validation.sandbox.target import Target
from gmmcompare.validation.verdict import Check, Diagnosis, Validation

if TYPE_CHECKING:
    # It needs ArviZ, which takes seconds to import.
    from gmmcompare.validation.checks.on_data import OnData

KERNEL_CALL_LIMIT = 10.0
SAMPLER_CALL_LIMIT = 120.0
DEFAULT_SEED = 1


def validate(
    sampler: str | Callable[..., Any],
    *,
    quick: bool = False,
    seed: int = DEFAULT_SEED,
    out: str | Path | None = None,
    on_data: OnData | None = None,
    geweke: bool = False,
    jobs: int = 2,
    tasks: Tasks | None = None,
    time_limit: float = 900.0,
    call_limit: float | None = None,
    progress: Progress = no_progress,
) -> Validation:
    """Test whether a sampler is correct and, if it is not, say what is wrong with it.

    The sampler's code runs in child processes, with your rights.

    Parameters
    ----------
    sampler : str or callable
        A kernel ``(w, mu, sigma, y, priors, rng)`` or a whole sampler ``(y, K, priors, draws,
        warmup, chains, rng)``: the function itself or its name, ``FILE.py:FUNC``,
        ``package.module:FUNC``, an entry point, ``fault:NAME`` or a built-in engine.
    quick : bool
        Fewer replicates: finds gross errors in a second or two, but subtle ones perhaps not.
    seed : int
        Same seed, same verdict, for a sampler that is reproducible.
    out : path, optional
        Folder for ``validation.json`` and what the sampler printed; whole samplers' replicates are
        kept there as they finish, and a rerun goes on from them.
    on_data : OnData, optional
        Your own data and NUTS' fit of them: agreement with it is checked too, and posterior SBC
        if that is asked for (see `checks.posterior_sbc`), which suits priors that are nearly
        improper. `gmmcompare.validate` makes one from a model card.
    geweke : bool
        Make the joint distribution test of Geweke (2004) as well, for kernels.
    jobs : int
        Number of processes.
    tasks : Tasks, optional
        Where replicates run instead, such as a cluster (see `runtime.tasks.open_tasks`); the
        results are the same.
    time_limit : float
        Seconds for everything; a verdict that needs more is "inconclusive".
    call_limit : float, optional
        Seconds after which one call counts as hanging; 10 for a kernel, 120 for a whole run.
    progress : callable
        Called with a check's name and the fraction done.

    Returns
    -------
    Validation

    Raises
    ------
    InputError
        If there is no such sampler, or its arguments are neither a kernel's nor a sampler's.
    TaskError
        If workers of a cluster fail; finished replicates of whole samplers are kept.
    """
    run = _Run(
        Target.of(sampler), quick, seed, jobs, tasks, time_limit, call_limit, progress, out,
        on_data, geweke,
    )  # fmt: skip
    found = run.validation()
    if out is not None:
        found.save(Path(out) / "validation.json")
        if run.printed:
            (Path(out) / "printed.log").write_text(run.printed, encoding="utf-8")
    return found


@dataclass
class _Run:
    target: Target
    quick: bool
    seed: int
    jobs: int
    tasks: Tasks | None
    time_limit: float
    call_limit: float | None
    progress: Progress
    out: str | Path | None
    on_data: OnData | None
    geweke: bool
    printed: str = ""
    kind: str = ""
    checks: list[Check] = field(default_factory=list)
    noticed: list[Reason] = field(default_factory=list)
    untested: list[Reason] = field(default_factory=list)
    diagnosis: Diagnosis = field(default_factory=Diagnosis)

    def validation(self) -> Validation:
        """Run all checks."""
        started = time.monotonic()
        limit = self.call_limit or SAMPLER_CALL_LIMIT
        with self._sandbox(limit, started + self.time_limit) as sandbox:
            with self._failures_noted("contract"):
                kind = sandbox.start()
                self.kind = kind
                if self.call_limit is None and kind == "kernel":
                    sandbox.call_limit = KERNEL_CALL_LIMIT
                self._all_checks(sandbox, kind)
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
            self.seed,
            time.monotonic() - started,
        )

    def _sandbox(self, limit: float, deadline: float) -> Sandbox:
        if self.tasks is None:
            return Sandbox(self.target, self.jobs, limit, deadline)
        return SpreadSandbox(self.target, self.tasks, limit, deadline)

    def _all_checks(self, sandbox: Sandbox, kind: SubjectKind) -> None:
        contract, check = check_contract(sandbox, kind, self.seed)
        self.checks.append(check)
        self.progress("contract", 1.0)
        self.untested += contract.refused
        if not contract.reproducible:
            self.noticed.append(Reason(Code.NOT_REPRODUCIBLE))
            sandbox.restrict(1)
        if kind == "kernel":
            self._kernel_checks(sandbox, contract)
        else:
            self._sampler_checks(sandbox, contract)
        if self.on_data is not None:
            self._checks_on_data(sandbox, self.on_data)

    def _kernel_checks(self, sandbox: Sandbox, contract: Contract) -> None:
        self._conditionals(sandbox)
        with self._failures_noted("invariance") as step:
            plan = QUICK if self.quick else Plan()
            outcome = check_invariance(sandbox, contract.scenes, plan, self.seed, step)
            self.checks.append(outcome.check)
            self.untested.append(_other_sizes([t.scene for t in outcome.tests if t.wealth.n]))
            if outcome.check.verdict == "failed":
                self.diagnosis = diagnose(outcome.tests, contract.remembers)
            elif contract.remembers:
                self.noticed.append(Reason(Code.REMEMBERS))
        if self.geweke:
            with self._failures_noted("joint distribution"):
                self.checks.append(check_joint_distribution(sandbox, self.seed, contract.scenes[0]))
        self._exact_posterior(sandbox, "kernel", contract)
        self.untested.append(Reason(Code.SMALL_ERRORS, {"quick": self.quick}))
        if self.on_data is None:
            self.untested.append(Reason(Code.REAL_DATA))

    def _sampler_checks(self, sandbox: Sandbox, contract: Contract) -> None:
        with self._failures_noted("sbc") as step:
            plan = QUICK_SBC if self.quick else SbcPlan()
            scene = contract.scenes[0]
            outcome = check_sbc(sandbox, scene, plan, self.seed, step, self._store)
            self.checks.append(outcome.check)
            self.untested.append(_other_sizes([scene]))
            self._keep_ranks(outcome, "sbc")
            if outcome.check.verdict == "failed":
                suspects = suspects_of_runs(outcome.effect, outcome.check.replicates, scene)
                self.diagnosis = replace(outcome.diagnosis(), suspects=suspects)
        self._exact_posterior(sandbox, "sampler", contract)
        self.untested.append(Reason(Code.SINGLE_SWEEPS))

    def _checks_on_data(self, sandbox: Sandbox, on_data: OnData) -> None:
        """Compare with NUTS on the user's data, and calibrate around them if that is asked for."""
        from gmmcompare.validation.checks.on_data import check_on_data
        from gmmcompare.validation.checks.posterior_sbc import givens_around

        with self._failures_noted("nuts"):
            self.checks.append(check_on_data(sandbox, on_data, self.seed))
        if not on_data.posterior_sbc:
            return
        plan = QUICK_SBC if self.quick else SbcPlan(replicates=200)
        with self._failures_noted("posterior sbc") as step:
            scene, givens = givens_around(on_data.problem, plan.replicates, self.seed)
            outcome = check_sbc(sandbox, scene, plan, self.seed, step, self._store, givens)
            self.checks.append(replace(outcome.check, name="posterior sbc"))
            self._keep_ranks(outcome, "posterior-sbc")
            if outcome.check.verdict == "failed" and not self.diagnosis.reasons:
                self.diagnosis = outcome.diagnosis()

    @property
    def _store(self) -> Path | None:
        return None if self.out is None else Path(self.out)

    def _keep_ranks(self, outcome: SbcOutcome, name: str) -> None:
        """Write the ranks where a folder is given and there are any."""
        if self.out is not None and outcome.names:
            outcome.save(Path(self.out) / f"{name}.nc")

    def _conditionals(self, sandbox: Sandbox) -> None:
        with self._failures_noted("conditionals"):
            check = check_conditionals(sandbox, self.seed)
            if check is None:
                self.untested.append(Reason(Code.NO_CONDITIONALS))
            else:
                self.checks.append(check)

    def _exact_posterior(self, sandbox: Sandbox, kind: SubjectKind, contract: Contract) -> None:
        if any(check.verdict == "failed" for check in self.checks):
            self.untested.append(Reason(Code.EXACT_SKIPPED))
            return
        with self._failures_noted("exact posterior") as step:
            self.checks.append(
                check_exact_posterior(sandbox, kind, contract.scenes[0], self.seed, step)
            )

    @contextmanager
    def _failures_noted(self, name: str) -> Iterator[Step]:
        """Turn a broken call into a failed check; what follows is skipped by whoever called.

        Yields what the check tells of its progress.
        """
        step = partial(self.progress, name)
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
            log = "" if self.out is None else f"{self.out}/printed.log"
            lines = self.printed.count("\n") + 1
            self.noticed.append(Reason(Code.PRINTED, {"lines": lines, "log": log}))
        self.noticed += [Reason(Code.WARNED, {"message": text}) for text in sandbox.warnings]


def _other_sizes(scenes: Sequence[Scene]) -> Reason:
    """Say which numbers of components and observations were tested."""
    return Reason(Code.OTHER_SIZES, {"sizes": list(dict.fromkeys((s.K, s.N) for s in scenes))})

"""`validate`: run the checks that fit a sampler, and say what they amount to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gmmcompare.engines.base import Problem
from gmmcompare.runtime.errors import GmmCompareError, InputError
from gmmcompare.runtime.tasks import OutOfTimeError, TaskError, Tasks
from gmmcompare.validation.checks.conditionals import conditionals_check, shown_names, timed
from gmmcompare.validation.checks.geweke import check_joint_distribution
from gmmcompare.validation.checks.invariance import QUICK, Plan, check_invariance
from gmmcompare.validation.checks.on_data import OnData, check_on_data
from gmmcompare.validation.checks.sbc import SbcOutcome, check_sbc
from gmmcompare.validation.checks.sbc_runs import QUICK_SBC, SbcPlan
from gmmcompare.validation.checks.scenes import SCENES, Scene
from gmmcompare.validation.checks.smalldata import check_exact_posterior
from gmmcompare.validation.diagnosis.suspects import diagnose, suspects_of_runs
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.sandbox import Sandbox
from gmmcompare.validation.sandbox.simulate import Contract, probe_kernel, probe_sampler
from gmmcompare.validation.sandbox.spread import SpreadSandbox
from gmmcompare.validation.sandbox.subject import BrokenError, SubjectKind, Target
from gmmcompare.validation.verdict import Check, Diagnosis, Validation

Report = Callable[[str, float], None]
KERNEL_CALL_LIMIT = 10.0
SAMPLER_CALL_LIMIT = 120.0
DEFAULT_SEED = 1
_TOO_SMALL = (
    "errors too small for so many replicates: mu's conditional variance off by 5 % is found, off "
    "by 3 % it may pass"
)
_TOO_SMALL_QUICK = "errors that take more replicates: run it without --quick (quick=False)"


def no_report(check: str, fraction: float) -> None:
    """Ignore progress."""


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
    progress: Report = no_report,
) -> Validation:
    """Find out whether a sampler is right, and if not, what is wrong with it.

    The sampler's code runs in child processes, with your rights.

    Parameters
    ----------
    sampler : str or callable
        A kernel ``(w, mu, sigma, y, priors, rng)`` or a whole sampler ``(y, K, priors, draws,
        warmup, chains, rng)``: the function itself or its name, ``FILE.py:FUNC``,
        ``package.module:FUNC``, an entry point, ``fault:NAME`` or a built-in engine.
    quick : bool
        Fewer replicates: finds gross faults in a second or two, subtle ones perhaps not.
    seed : int
        Same seed, same verdict, for a sampler that is reproducible.
    out : path, optional
        Folder for ``validation.json`` and what the sampler printed; whole samplers' replicates are
        kept there as they finish, and a rerun goes on from them.
    on_data : OnData, optional
        Your own data and NUTS' fit of them: agreement with it is checked too, and if asked for,
        calibration around the data (see `checks.posterior_sbc`), which suits priors that
        are nearly improper. `gmmcompare.validate` makes one from a model card.
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
    progress: Report
    out: str | Path | None
    on_data: OnData | None
    geweke: bool
    printed: str = ""
    kind: str = ""
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    not_tested: list[str] = field(default_factory=list)
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
            self.diagnosis = replace(
                self.diagnosis,
                findings=(*self._broken(), *self.diagnosis.findings),
            )
        return Validation(
            self.target.name,
            self.kind,
            tuple(self.checks),
            self.diagnosis,
            tuple(self.notes),
            tuple(self.not_tested),
            self.seed,
            time.monotonic() - started,
        )

    def _sandbox(self, limit: float, deadline: float) -> Sandbox:
        if self.tasks is None:
            return Sandbox(self.target, self.jobs, limit, deadline)
        return SpreadSandbox(self.target, self.tasks, limit, deadline)

    def _all_checks(self, sandbox: Sandbox, kind: SubjectKind) -> None:
        contract = self._contract(sandbox, kind)
        self.not_tested += contract.refused
        if not contract.reproducible:
            self.notes.append(
                "the same rng gives different results: it draws from a stream of its own, or keeps "
                "something from earlier calls (a cache?); pass rng on to every draw, so that runs "
                "can be repeated"
            )
            sandbox.restrict(1)
        if kind == "kernel":
            self._kernel_checks(sandbox, contract)
        else:
            self._sampler_checks(sandbox, contract)
        if self.on_data is not None:
            with self._failures_noted("nuts"):
                self.progress("nuts", 0.0)
                self.checks.append(check_on_data(sandbox, self.on_data, self.seed))
            if self.on_data.around:
                self._calibration_around(sandbox, self.on_data.problem)

    def _calibration_around(self, sandbox: Sandbox, problem: Problem) -> None:
        """Calibrate around the user's data; the reference sampler runs in this process."""
        from gmmcompare.validation.checks.posterior_sbc import givens_around

        plan = QUICK_SBC if self.quick else SbcPlan(replicates=200)
        with self._failures_noted("sbc around the data"):
            scene, givens = givens_around(problem, plan.replicates, self.seed)
            store = None if self.out is None else Path(self.out)
            outcome = check_sbc(sandbox, scene, plan, self.seed, self.progress, store, givens)
            self.checks.append(replace(outcome.check, name="sbc around the data"))
            self._keep_ranks(outcome, "sbc-around")
            if outcome.check.verdict == "failed" and not self.diagnosis.findings:
                self.diagnosis = outcome.diagnosis()

    def _contract(self, sandbox: Sandbox, kind: SubjectKind) -> Contract:
        started = time.perf_counter()
        probe = probe_kernel if kind == "kernel" else probe_sampler
        # To try a whole sampler on another size may mean to compile it again.
        scenes = SCENES if kind == "kernel" else tuple(s for s in SCENES if s.main)
        tasks = [Task(probe, {"scenes": scenes, "seed": self.seed})]
        contract: Contract = next(sandbox.run(tasks))
        self.checks.append(
            Check(
                "contract",
                "passed",
                f"a {kind} that uses its data and its rng and returns what it should"
                f"{_only_numbers(contract)}",
                seconds=time.perf_counter() - started,
            )
        )
        return contract

    def _kernel_checks(self, sandbox: Sandbox, contract: Contract) -> None:
        self._conditionals(sandbox)
        with self._failures_noted("invariance"):
            plan = QUICK if self.quick else Plan()
            outcome = check_invariance(sandbox, contract.scenes, plan, self.seed, self.progress)
            self.checks.append(outcome.check)
            self.not_tested.append(_other_sizes([t.scene for t in outcome.tests if t.wealth.n]))
            if outcome.check.verdict == "failed":
                self.diagnosis = diagnose(outcome.tests, contract.remembers)
            elif contract.remembers:
                self.notes.append(
                    "a sweep's result depends on earlier calls by more than (w, mu, sigma)"
                )
        if self.geweke:
            with self._failures_noted("joint distribution"):
                self.checks.append(check_joint_distribution(sandbox, self.seed, contract.scenes[0]))
        self._exact_posterior(sandbox, "kernel", contract)
        self.not_tested.append(_TOO_SMALL_QUICK if self.quick else _TOO_SMALL)
        if self.on_data is None:
            self.not_tested.append(
                "data unlike the model's own, and more than a few observations: give a model card "
                "by --card, for agreement with NUTS on your data"
            )

    def _sampler_checks(self, sandbox: Sandbox, contract: Contract) -> None:
        with self._failures_noted("sbc"):
            plan = QUICK_SBC if self.quick else SbcPlan()
            scene = contract.scenes[0]
            store = None if self.out is None else Path(self.out)
            outcome = check_sbc(sandbox, scene, plan, self.seed, self.progress, store)
            self.checks.append(outcome.check)
            self.not_tested.append(_other_sizes([scene]))
            self._keep_ranks(outcome, "sbc")
            if outcome.check.verdict == "failed":
                suspects = suspects_of_runs(outcome.effect, outcome.check.replicates, scene)
                self.diagnosis = replace(outcome.diagnosis(), suspects=suspects)
        self._exact_posterior(sandbox, "sampler", contract)
        self.not_tested.append(
            "single sweeps: a kernel (one sweep as a function) is tested far more sharply"
        )

    def _keep_ranks(self, outcome: SbcOutcome, name: str) -> None:
        """Write the ranks where a folder is given and there are any."""
        if self.out is not None and outcome.names:
            outcome.save(Path(self.out) / f"{name}.nc")

    def _conditionals(self, sandbox: Sandbox) -> None:
        names = next(sandbox.run([Task(shown_names, {})]))
        if not names:
            self.not_tested.append(
                "full conditionals one by one: the kernel shows none (see "
                "gmmcompare.validation.checks.conditionals for the names it would look for)"
            )
            return
        with self._failures_noted("conditionals"):
            tested, seconds = next(sandbox.run([Task(timed, {"seed": self.seed})]))
            self.checks.append(conditionals_check(tested, seconds))

    def _exact_posterior(self, sandbox: Sandbox, kind: SubjectKind, contract: Contract) -> None:
        if any(check.verdict == "failed" for check in self.checks):
            self.not_tested.append("the exact posterior on small data: it has failed already")
            return
        with self._failures_noted("exact posterior"):
            self.checks.append(
                check_exact_posterior(sandbox, kind, contract.scenes[0], self.seed, self.progress)
            )

    @contextmanager
    def _failures_noted(self, name: str) -> Iterator[None]:
        """Turn a broken call into a failed check; what follows is skipped by whoever called."""
        try:
            yield
        except BrokenError as error:
            data = {"what": error.what, "traceback": error.details}
            self.checks.append(Check(name, "failed", str(error), data=data))
        except OutOfTimeError as error:
            summary = f"{error}; give more with time_limit"
            self.checks.append(Check(name, "inconclusive", summary))
        except (InputError, TaskError):
            raise
        except GmmCompareError as error:
            self.checks.append(Check(name, "failed", str(error)))

    def _broken(self) -> tuple[str, ...]:
        """Return the messages of calls that failed: the best diagnosis there is."""
        return tuple(c.summary for c in self.checks if c.verdict == "failed" and "what" in c.data)

    def _note_what_it_said(self, sandbox: Sandbox) -> None:
        self.printed = sandbox.printed
        if self.printed:
            lines = self.printed.count("\n") + 1
            where = f"{self.out}/printed.log" if self.out is not None else "kept with out=FOLDER"
            self.notes.append(f"it printed {lines:,} lines ({where})")
        self.notes += [f"it warned: {text}" for text in sandbox.warnings]


def _only_numbers(contract: Contract) -> str:
    """Say so where a sampler takes priors only as numbers: it is tested with those alone."""
    vectors = any(scene.vector for scene in contract.scenes)
    return "" if vectors else ", with one prior for all components only"


def _other_sizes(scenes: Sequence[Scene]) -> str:
    """Say which numbers of components and observations were tested."""
    sizes = dict.fromkeys((s.K, s.N) for s in scenes)
    tried = ", ".join(f"K = {K} with N = {N}" for K, N in sizes)
    return f"other sizes than {tried}"

"""`validate`: run the checks that fit a sampler, and say what they amount to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gmmcompare.runtime.errors import GmmCompareError, InputError
from gmmcompare.runtime.progress import Progress, Step, no_progress
from gmmcompare.runtime.tasks import OutOfTimeError, TaskError, Tasks
from gmmcompare.validation.checks.conditionals import check_conditionals
from gmmcompare.validation.checks.contract import Contract, check_contract
from gmmcompare.validation.checks.exact_posterior import check_exact_posterior
from gmmcompare.validation.checks.geweke import check_joint_distribution
from gmmcompare.validation.checks.invariance import QUICK, Plan, SceneTest, check_invariance
from gmmcompare.validation.checks.ranks import QUICK_SBC, SbcPlan
from gmmcompare.validation.checks.sbc import SbcOutcome, check_sbc
from gmmcompare.validation.checks.scenes import FIELDS, MixtureScene
from gmmcompare.validation.checks.usage import stream_note
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
_EFFECT_OF_VARIANCE = 0.436
"""What a relative error of mu's conditional variance moves its spread by, in standard deviations of
one paired difference: the derivative at 0 of E P2(2 Phi(z sqrt(1 + x)) - 1), which is
3 / (2 pi sqrt(3)), over sqrt(2 / 5). The mean over K components shows sqrt(K) times as much."""


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
    strict: bool = False,
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
    strict : bool
        Fail a sampler that draws from anything but ``rng``, too; by default that is a note.
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
        on_data, geweke, strict,
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
    strict: bool
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
            scope=tuple(self.scope),
        )

    def _sandbox(self, limit: float, deadline: float) -> Sandbox:
        if self.tasks is None:
            return Sandbox(self.target, self.jobs, limit, deadline)
        return SpreadSandbox(self.target, self.tasks, limit, deadline)

    def _all_checks(self, sandbox: Sandbox, kind: SubjectKind) -> None:
        contract, check = check_contract(sandbox, kind, self.seed, self.strict)
        self.checks.append(check)
        self.progress("contract", 1.0)
        self.untested += contract.refused
        if note := stream_note(contract.usage):
            self.noticed.append(note)
        if not contract.usage.reproducible:
            sandbox.restrict(1)
        if kind == "kernel":
            self._kernel_checks(sandbox, contract)
        else:
            self._sampler_checks(sandbox, contract)
        if self.on_data is not None:
            self._checks_on_data(sandbox, self.on_data)

    def _kernel_checks(self, sandbox: Sandbox, contract: Contract) -> None:
        self._conditionals(sandbox, contract)
        with self._failures_noted("invariance") as step:
            plan = QUICK if self.quick else Plan()
            outcome = check_invariance(
                sandbox, contract.scenes, plan, self.seed, step, contract.permutes
            )
            self.checks.append(_weighed(outcome.check, contract))
            self._say_what_was_tested(
                "kernel", contract, [t.scene for t in outcome.tests if t.wealth.n]
            )
            self.untested += _too_small(outcome.tests, self.quick)
            if outcome.check.verdict == "failed":
                # What labels do under priors that differ is no trace of any other mistake.
                telling = [t for t in outcome.tests if not t.label_free]
                self.diagnosis = diagnose(telling, contract.usage.remembers)
            else:
                self._note_on_labels(outcome.tests, contract)
                self.noticed += [Reason(Code.REMEMBERS)] if contract.usage.remembers else []
        if self.geweke:
            with self._failures_noted("joint distribution"):
                self.checks.append(check_joint_distribution(sandbox, self.seed, contract.scenes[0]))
        self._exact_posterior(sandbox, "kernel", contract)
        if self.on_data is None:
            self.untested.append(_real_data(contract.scenes))

    def _say_what_was_tested(
        self, kind: str, contract: Contract, scenes: Sequence[MixtureScene]
    ) -> None:
        """Put sizes and priors, and what the sampler does not take, into the first lines."""
        sizes = list(dict.fromkeys((s.K, s.N) for s in scenes))
        unequal = [
            f for f in FIELDS if any(np.ptp(np.atleast_1d(getattr(s.priors, f))) for s in scenes)
        ]
        equal = [f for f in FIELDS if f not in contract.domain.unequal]
        numbers = {
            "kind": kind,
            "sizes": sizes,
            "taken": list(contract.domain.sizes),
            "refused": list(contract.domain.refused_sizes),
            "unequal": unequal,
            "equal": equal if contract.domain.K > 1 else [],
        }
        self.scope.append(Reason(Code.SCOPE, numbers))
        self.untested.append(Reason(Code.OTHER_SIZES, {"sizes": sizes}))

    def _note_on_labels(self, tests: Sequence[SceneTest[MixtureScene]], contract: Contract) -> None:
        """Say so where a kernel permutes labels, unless it is found correct all the same."""
        differing = [t for t in tests if t.label_free]
        if contract.permutes and (not differing or any(t.needs_equal_priors for t in differing)):
            self.noticed.append(Reason(Code.PERMUTES_LABELS, {"differing": bool(differing)}))

    def _sampler_checks(self, sandbox: Sandbox, contract: Contract) -> None:
        with self._failures_noted("sbc") as step:
            plan = QUICK_SBC if self.quick else SbcPlan()
            scene = contract.scenes[0]
            outcome = check_sbc(sandbox, scene, plan, self.seed, step, self._store)
            self.checks.append(outcome.check)
            self._say_what_was_tested("sampler", contract, [scene])
            self._keep_ranks(outcome, "sbc")
            if outcome.check.verdict == "failed":
                suspects = suspects_of_runs(outcome.effect, outcome.check.replicates, scene)
                self.diagnosis = replace(outcome.diagnosis(), suspects=suspects)
        self._exact_posterior(sandbox, "sampler", contract)
        self.untested += [Reason(Code.SINGLE_SWEEPS), Reason(Code.ONE_PRIOR)]

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

    def _conditionals(self, sandbox: Sandbox, contract: Contract) -> None:
        with self._failures_noted("conditionals"):
            check = check_conditionals(sandbox, self.seed, _telling(contract.scenes))
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


def _telling(scenes: Sequence[MixtureScene]) -> MixtureScene:
    """Return the main scene that tells most of priors: one in which they differ, or the last."""
    main = [scene for scene in scenes if scene.main]
    return next((scene for scene in main if not scene.priors.exchangeable), main[-1])


def _weighed(check: Check, contract: Contract) -> Check:
    """Make a pass inconclusive where too little of the plan could be tried."""
    main = [scene for scene in contract.scenes if scene.main]
    if check.verdict != "passed" or (len(main) > 1 and contract.domain.K > 1):
        return check
    numbers = {"priors": len(main), "K": contract.domain.K}
    return replace(check, verdict="inconclusive", reasons=(Reason(Code.THIN_EVIDENCE, numbers),))


def _too_small(tests: Sequence[SceneTest[MixtureScene]], quick: bool) -> list[Reason]:
    """Say which errors are too small for the replicates that were made."""
    main = [t for t in tests if t.scene.main and t.wealth.n]
    if not main:
        return []
    effect = max(t.smallest_effect for t in main)
    percent = 100.0 * effect / (_EFFECT_OF_VARIANCE * np.sqrt(main[0].scene.K))
    numbers = {"quick": quick, "effect": effect, "percent": percent}
    return [Reason(Code.SMALL_ERRORS, numbers)]


def _real_data(scenes: Sequence[MixtureScene]) -> Reason:
    numbers = {"most": max(s.N for s in scenes), "tied": any(s.data for s in scenes)}
    return Reason(Code.REAL_DATA, numbers)

"""How a sampler of the mixture is validated: scenes that follow what it takes, exact answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gmmcompare.validation.checks.conditionals import check_conditionals
from gmmcompare.validation.checks.contract import Contract, check_contract
from gmmcompare.validation.checks.exact_posterior import check_exact_posterior
from gmmcompare.validation.checks.geweke import check_joint_distribution
from gmmcompare.validation.checks.invariance import QUICK, Plan, SceneTest, check_invariance
from gmmcompare.validation.checks.ranks import QUICK_SBC, SbcPlan
from gmmcompare.validation.checks.sbc import check_sbc
from gmmcompare.validation.checks.scenes import FIELDS, MixtureScene
from gmmcompare.validation.checks.usage import stream_note
from gmmcompare.validation.diagnosis.suspects import diagnose, suspects_of_runs
from gmmcompare.validation.procedure import Procedure, Settings
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.sandbox import Sandbox
from gmmcompare.validation.sandbox.subject import SubjectKind
from gmmcompare.validation.sandbox.target import Target
from gmmcompare.validation.verdict import Check

if TYPE_CHECKING:
    # It needs ArviZ, which takes seconds to import.
    from gmmcompare.validation.checks.on_data import OnData

_EFFECT_OF_VARIANCE = 0.436
"""What a relative error of mu's conditional variance moves its spread by, in standard deviations of
one paired difference: the derivative at 0 of E P2(2 Phi(z sqrt(1 + x)) - 1), which is
3 / (2 pi sqrt(3)), over sqrt(2 / 5). The mean over K components shows sqrt(K) times as much."""


@dataclass
class MixtureProcedure(Procedure):
    """A validation of a kernel or sampler of the mixture; with ``on_data`` against NUTS as well."""

    on_data: OnData | None = None
    scenes: tuple[MixtureScene, ...] = ()

    @property
    def first_scene(self) -> MixtureScene:
        """The first scene that the sampler takes."""
        return self.scenes[0]

    def anew(self, target: Target, settings: Settings) -> MixtureProcedure:
        """Return the same procedure for another sampler, without data of the user's."""
        return MixtureProcedure(target, settings)

    def all_checks(self, sandbox: Sandbox, kind: SubjectKind) -> None:
        """Check the contract, conditionals, invariance or ranks, and the exact posterior."""
        contract, check = check_contract(sandbox, kind, self.settings.seed, self.settings.strict)
        self.checks.append(check)
        self.scenes = contract.scenes
        self.settings.progress("contract", 1.0)
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
        with self.failures_noted("invariance") as step:
            plan = QUICK if self.settings.quick else Plan()
            outcome = check_invariance(
                sandbox, contract.scenes, plan, self.settings.seed, step, contract.permutes
            )
            self.checks.append(_weighed(outcome.check, contract))
            self._say_what_was_tested(
                "kernel", contract, [t.scene for t in outcome.tests if t.wealth.n]
            )
            self.untested += _too_small(outcome.tests, self.settings.quick)
            if outcome.check.verdict == "failed" and not contract.scenes[0].measured:
                # What labels do under priors that differ is no trace of any other mistake.
                telling = [t for t in outcome.tests if not t.label_free]
                self.diagnosis = diagnose(telling, contract.usage.remembers)
            elif outcome.check.verdict != "failed":
                self._note_on_labels(outcome.tests, contract)
                self.noticed += [Reason(Code.REMEMBERS)] if contract.usage.remembers else []
        if self.settings.geweke:
            with self.failures_noted("joint distribution"):
                self.checks.append(
                    check_joint_distribution(sandbox, self.settings.seed, contract.scenes[0])
                )
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
        with self.failures_noted("sbc") as step:
            plan = QUICK_SBC if self.settings.quick else SbcPlan()
            scene = contract.scenes[0]
            outcome = check_sbc(sandbox, scene, plan, self.settings.seed, step, self.store)
            self.checks.append(outcome.check)
            self._say_what_was_tested("sampler", contract, [scene])
            self.keep_ranks(outcome, "sbc")
            if outcome.check.verdict == "failed" and not scene.measured:
                suspects = suspects_of_runs(outcome.effect, outcome.check.replicates, scene)
                self.diagnosis = replace(outcome.diagnosis(), suspects=suspects)
        self._exact_posterior(sandbox, "sampler", contract)
        self.untested += [Reason(Code.SINGLE_SWEEPS), Reason(Code.ONE_PRIOR)]

    def _checks_on_data(self, sandbox: Sandbox, on_data: OnData) -> None:
        """Compare with NUTS on the user's data, and calibrate around them if that is asked for."""
        from gmmcompare.validation.checks.on_data import check_on_data
        from gmmcompare.validation.checks.posterior_sbc import givens_around

        with self.failures_noted("nuts"):
            self.checks.append(check_on_data(sandbox, on_data, self.settings.seed))
        if not on_data.posterior_sbc:
            return
        plan = QUICK_SBC if self.settings.quick else SbcPlan(replicates=200)
        with self.failures_noted("posterior sbc") as step:
            scene, givens = givens_around(on_data.problem, plan.replicates, self.settings.seed)
            outcome = check_sbc(sandbox, scene, plan, self.settings.seed, step, self.store, givens)
            self.checks.append(replace(outcome.check, name="posterior sbc"))
            self.keep_ranks(outcome, "posterior-sbc")
            if outcome.check.verdict == "failed" and not self.diagnosis.reasons:
                self.diagnosis = outcome.diagnosis()

    def _conditionals(self, sandbox: Sandbox, contract: Contract) -> None:
        with self.failures_noted("conditionals"):
            check = check_conditionals(sandbox, self.settings.seed, _telling(contract.scenes))
            if check is None:
                self.untested.append(Reason(Code.NO_CONDITIONALS))
            else:
                self.checks.append(check)

    def _exact_posterior(self, sandbox: Sandbox, kind: SubjectKind, contract: Contract) -> None:
        if any(check.verdict == "failed" for check in self.checks):
            self.untested.append(Reason(Code.EXACT_SKIPPED))
            return
        with self.failures_noted("exact posterior") as step:
            self.checks.append(
                check_exact_posterior(sandbox, kind, contract.scenes[0], self.settings.seed, step)
            )


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

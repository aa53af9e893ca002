"""How a sampler of any other model is validated: on data that the model itself draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gmmcompare.model.named import as_model, load_model
from gmmcompare.validation.checks.invariance import QUICK, Plan, SceneTest, check_invariance
from gmmcompare.validation.checks.model_check import check_densities
from gmmcompare.validation.checks.model_contract import ModelContract, check_model_contract
from gmmcompare.validation.checks.model_scene import ModelScene
from gmmcompare.validation.checks.ranks import QUICK_SBC, SbcPlan
from gmmcompare.validation.checks.sbc import check_sbc
from gmmcompare.validation.checks.usage import stream_note
from gmmcompare.validation.checks.whole_chains import check_whole_chains
from gmmcompare.validation.diagnosis.movement import diagnose_model
from gmmcompare.validation.procedure import Procedure, Settings
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.sandbox import Sandbox
from gmmcompare.validation.sandbox.subject import SubjectKind
from gmmcompare.validation.sandbox.target import Target

_DENSITIES = {"log_likelihood": "log-likelihood", "log_prior": "log prior"}


def model_scene(model: Any, seed: int) -> ModelScene:
    """Return the scene of a model, whose densities were held against its own draws.

    Parameters
    ----------
    model : Model, pymc.Model, callable or str
        See `model.named.load_model`.
    seed : int

    Raises
    ------
    InputError
        If it is no model whose samplers could be tested, or its densities are not those of its
        draws.
    """
    if isinstance(model, ModelScene):
        return model
    if isinstance(model, str):
        scene = ModelScene.of(load_model(model), Path(model).name)
    else:
        name = getattr(model, "name", "") or getattr(model, "__name__", type(model).__name__)
        scene = ModelScene.of(as_model(model, str(name)), str(name))
    check_densities(scene, seed)
    return scene


@dataclass
class ModelProcedure(Procedure):
    """A validation of a kernel or a whole sampler of any model."""

    scene: ModelScene = field(kw_only=True)

    @property
    def first_scene(self) -> ModelScene:
        """The model's only scene."""
        return self.scene

    def anew(self, target: Target, settings: Settings) -> ModelProcedure:
        """Return the same procedure for another sampler of the model."""
        return ModelProcedure(target, settings, scene=self.scene)

    def all_checks(self, sandbox: Sandbox, kind: SubjectKind) -> None:
        """Check the contract, then invariance and whole chains of a kernel, or ranks of runs."""
        settings = self.settings
        contract, check = check_model_contract(
            sandbox, kind, self.scene, settings.seed, settings.strict
        )
        self.checks.append(check)
        settings.progress("contract", 1.0)
        if note := stream_note(contract.usage):
            self.noticed.append(note)
        if not contract.usage.reproducible:
            sandbox.restrict(1)
        self._say_what_is_tested(kind)
        if kind == "kernel":
            self._kernel_checks(sandbox, contract)
        else:
            self._sampler_checks(sandbox)
        self.untested.append(Reason(Code.OTHER_DATA))

    def _say_what_is_tested(self, kind: SubjectKind) -> None:
        quantities = self.scene.quantities
        numbers = {
            "kind": kind,
            "model": self.scene.name,
            "parameters": self.scene.to_dict()["parameters"],
            "quantities": len(quantities),
            "kinds": list(dict.fromkeys(q.kind for q in quantities)),
        }
        self.scope.append(Reason(Code.MODEL_SCOPE, numbers))
        missing = [n for n, said in _DENSITIES.items() if said not in self.scene.densities]
        if missing:
            self.untested.append(Reason(Code.NO_DENSITIES, {"missing": missing}))

    def _kernel_checks(self, sandbox: Sandbox, contract: ModelContract) -> None:
        settings, test = self.settings, None
        with self.failures_noted("invariance") as step:
            plan = QUICK if settings.quick else Plan()
            outcome = check_invariance(sandbox, [self.scene], plan, settings.seed, step)
            (test,) = outcome.tests
            self.checks.append(outcome.check)
            self._after_invariance(test, contract, outcome.check.verdict == "failed")
        if test is not None and self.checks[-1].verdict != "failed":
            with self.failures_noted("whole chains") as step:
                self.checks.append(check_whole_chains(sandbox, self.scene, settings.seed, step))

    def _after_invariance(
        self, test: SceneTest[ModelScene], contract: ModelContract, failed: bool
    ) -> None:
        if failed:
            self.diagnosis = diagnose_model(test)
            return
        if contract.usage.remembers:
            self.noticed.append(Reason(Code.REMEMBERS))
        if contract.still:
            self.untested.append(Reason(Code.NOT_MOVED, {"parameters": list(contract.still)}))
        numbers = {"quick": self.settings.quick, "effect": test.smallest_effect}
        self.untested.append(Reason(Code.SMALL_ERRORS_OF_MODEL, numbers))

    def _sampler_checks(self, sandbox: Sandbox) -> None:
        with self.failures_noted("sbc") as step:
            plan = QUICK_SBC if self.settings.quick else SbcPlan()
            outcome = check_sbc(sandbox, self.scene, plan, self.settings.seed, step, self.store)
            self.checks.append(outcome.check)
            self.keep_ranks(outcome, "sbc")
            if outcome.check.verdict == "failed":
                self.diagnosis = outcome.diagnosis()
        self.untested.append(Reason(Code.SINGLE_SWEEPS))

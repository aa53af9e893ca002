"""Simulation-based calibration of whole samplers (Talts et al. 2018; Modrak et al. 2023).

Draw parameters from the prior and data given them, and run the sampler on the data: the rank of the
prior draw among the posterior draws is uniform for every quantity. Two tests on the same runs:
ranks, by simultaneous bands for their distribution function (`ecdf`), and the mean of bounded
quantities over each run's draws minus their value at the prior draw, by betting (`betting`).

*Labels.* Prior draws carry labels at random, and a sampler may or may not switch labels. So both
the prior draw and every posterior draw are put in ascending order of their means, whole triples
(w, mu, sigma) together. The naive way, ranking component k of an *ordered* model's draws among
unsorted prior draws, is wrong by construction and refused.
"""

from __future__ import annotations

import hashlib
import inspect
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gmmcompare._version import __version__
from gmmcompare.engines.own import source_digest
from gmmcompare.model.params import Array
from gmmcompare.model.points import flat, mapped, one_of
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import replacing
from gmmcompare.runtime.progress import Step
from gmmcompare.runtime.store import Store, digest
from gmmcompare.runtime.tasks import OutOfTimeError
from gmmcompare.validation import error_rates
from gmmcompare.validation.betting import Wealth
from gmmcompare.validation.checks.ranks import (
    RANKS,
    Given,
    SbcPlan,
    SbcReplicate,
    choose_thinning,
    ranked,
    sbc_replicate,
)
from gmmcompare.validation.checks.scene import Scene
from gmmcompare.validation.ecdf import counts_below, simultaneous_bands, uniformity_p
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.sandbox import TaskRunner
from gmmcompare.validation.sandbox.subject import Subject
from gmmcompare.validation.verdict import Check, Diagnosis, Verdict

if TYPE_CHECKING:
    import xarray as xr

_ROUND = 50
_CLEAR = 1e-3


@dataclass(frozen=True)
class SbcOutcome:
    """All replicates and the check they amount to.

    ``effect`` is what was bet on: mean in standard deviations of one replicate, shape (M,).
    """

    names: tuple[str, ...]
    ranks: NDArray[np.int64]
    check: Check
    effect: Array

    def to_datatree(self) -> xr.DataTree:
        """Return the ranks as PIT values in the group ``prior_sbc``, for `az.plot_ecdf_pit`."""
        import xarray as xr

        pits = (self.ranks + 0.5) / RANKS
        variables = {
            name: (("chain", "draw"), pits[None, :, i]) for i, name in enumerate(self.names)
        }
        data = xr.Dataset(variables, {"chain": [0], "draw": np.arange(len(pits))}, {"ranks": RANKS})
        return xr.DataTree.from_dict({"prior_sbc": data})

    def save(self, path: str | Path) -> None:
        """Write `to_datatree` as NetCDF.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        with replacing(path) as partial:
            self.to_datatree().to_netcdf(partial, engine="h5netcdf")

    def diagnosis(self) -> Diagnosis:
        """Say which quantities are off, and which way."""
        data = self.check.data
        each = zip(self.names, data["p"], data["mean_rank"], strict=True)
        return Diagnosis(
            tuple(
                Reason(Code.RANKS_OFF, {"quantity": name, "way": _way(at), "mean_rank": float(at)})
                for name, p, at in each
                if p < _CLEAR
            )
        )


def _way(mean_rank: float) -> str:
    """Say which way draws are off, from where the truth ranks among them on average."""
    return "small" if mean_rank > 0.55 else "large" if mean_rank < 0.45 else "spread"


def check_sbc(
    sandbox: TaskRunner,
    scene: Scene,
    plan: SbcPlan,
    seed: int,
    progress: Step,
    store: Path | None = None,
    givens: Sequence[Given] | None = None,
) -> SbcOutcome:
    """Run a whole sampler on data sets drawn from the prior; see the module.

    Parameters
    ----------
    sandbox : TaskRunner
        Where the sampler under test is called.
    scene : Scene
        One that the sampler accepts, or that of `posterior_sbc`.
    plan : SbcPlan
    seed : int
    progress : callable
        Called with the fraction of replicates made.
    store : Path, optional
        A folder; each replicate is written there as it finishes, and finished ones are not run
        again (unless the sampler's file, the scene, the given data, the seed, the version, or the
        plan but for its number of replicates changed).
    givens : sequence of Given, optional
        Data and posterior draws to calibrate around, one for each replicate; see `posterior_sbc`.

    Raises
    ------
    BrokenError
        If the sampler fails in a run.
    InputError
        If the ranks would be wrong by construction.
    """
    started = time.perf_counter()
    setting: dict[str, Any] = {"scene": scene, "plan": plan, "seed": seed}
    around = givens is not None
    if givens is None and scene.here:
        givens = _drawn(scene, plan, seed)
    pilot = {**setting, "given": givens[0] if givens else None}
    thin = int(next(sandbox.run([Task(choose_thinning, pilot)])))
    kept = _store(store, {**_identity(sandbox, scene, plan, seed, givens), "thin": thin})
    done = {
        int(i): SbcReplicate(**row) for (i,), row in kept.rows.items() if int(i) < plan.replicates
    }
    missing = [] if _decided(done) else [i for i in range(plan.replicates) if i not in done]
    setting = {**setting, "thin": thin}
    tasks = [
        Task(sbc_replicate, {**setting, "index": i, "given": givens[i] if givens else None})
        for i in missing
    ]
    out_of_time = False
    try:
        for i, made in zip(missing, sandbox.run(tasks), strict=True):
            if givens and scene.here:
                made = ranked(scene, plan, givens[i], made, bound_ranks=around)
            done[i] = made
            kept.append((i,), made._asdict())
            progress(len(done) / plan.replicates)
            if _decided(done):
                break
    except OutOfTimeError:
        out_of_time = True
    return _outcome(done, scene, plan, thin, out_of_time, time.perf_counter() - started)


def _drawn(scene: Scene, plan: SbcPlan, seed: int) -> list[Given]:
    """Draw the truth and data of every replicate here, for a child that has not the model."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0x5BC,)))
    truths, y = scene.sample_joint(rng, plan.replicates)
    return [Given(one_of(truths, i), one_of(y, i)) for i in range(plan.replicates)]


def _decided(done: dict[int, SbcReplicate]) -> bool:
    """Whether no further replicate is needed; asked at the end of each round."""
    whole_rounds = bool(done) and len(done) % _ROUND == 0
    return whole_rounds and bool(_wealth(done).log_wealth > -np.log(error_rates.SBC_MEANS))


def _identity(
    sandbox: TaskRunner, scene: Scene, plan: SbcPlan, seed: int, givens: Sequence[Given] | None
) -> dict[str, Any]:
    """Return all that a replicate depends on, beside its index and the thinning."""
    given = hashlib.sha256()
    for each in givens or ():
        given.update(flat(mapped(lambda a: np.asarray(a)[None], each)).tobytes())
    return {
        "sampler": str(next(sandbox.run([Task(_name_and_source, {})]))),
        "scene": scene.name,
        **scene.to_dict(),
        "given": given.hexdigest() if givens else None,
        "warmup": plan.warmup,
        "relabel": plan.relabel,
        "seed": seed,
        "version": __version__,
    }


def _store(folder: Path | None, identity: dict[str, Any]) -> Store:
    """Return a file of its own for each identity: an edited sampler simply begins another."""
    path = None if folder is None else folder / f"sbc-{digest(identity)}.jsonl"
    return Store(path, identity, ("index",)).begin()


def _name_and_source(subject: Subject) -> str:
    """Return the sampler's name and a hash of its file; of its class's, where it is an object."""
    function = subject.function
    source = source_digest(function if inspect.isroutine(function) else type(function))
    return f"{subject.name} {source}"


def _wealth(done: dict[int, SbcReplicate]) -> Wealth:
    """Bet on the replicates in order, in rounds."""
    start = np.array([done[i].start for i in sorted(done)])
    mean = np.array([done[i].mean for i in sorted(done)])
    wealth = Wealth(start.shape[1])
    for at in range(0, len(start), _ROUND):
        wealth.add(0.5 * (mean - start)[at : at + _ROUND])
    return wealth


def _outcome(
    done: dict[int, SbcReplicate],
    scene: Scene,
    plan: SbcPlan,
    thin: int,
    out_of_time: bool,
    seconds: float,
) -> SbcOutcome:
    alpha = error_rates.SBC_RANKS + error_rates.SBC_MEANS
    if len(done) < _ROUND:
        reason = Reason(Code.OUT_OF_TIME, {"done": len(done), "wanted": plan.replicates})
        check = Check("sbc", "inconclusive", (reason,), len(done), seconds, alpha)
        return SbcOutcome((), np.empty((0, 0), dtype=np.int64), check, np.empty(0))
    if plan.relabel == "none" and all(r.ordered for r in done.values()):
        raise InputError(
            "sbc: every posterior draw has its means in ascending order but prior draws have not: "
            "ranking component by component is wrong by construction; use relabel='mean', which "
            "orders both by the same rule"
        )
    names = scene.rank_names
    ranks = np.array([done[i].ranks for i in sorted(done)])
    p = np.array([uniformity_p(column, RANKS) for column in ranks.T])
    wealth = _wealth(done)
    bands = simultaneous_bands(len(ranks))
    data = {
        "names": names,
        "p": p,
        "mean_rank": (ranks.mean(axis=0) + 0.5) / RANKS,
        "ranks": ranks,
        "ecdf": {
            "z": bands.z,
            "lower": bands.lower,
            "upper": bands.upper,
            "counts": {n: counts_below(r, RANKS) for n, r in zip(names, ranks.T, strict=True)},
        },
        "thin": thin,
        "relabel": plan.relabel,
        "log_wealth": wealth.log_wealth,
        "quantities": {scene.name: _quantity_table(wealth, _bet_on(scene, names, wealth))},
        "scene": scene.to_dict(),
    }  # fmt: skip
    verdict, reason = _verdict(names, p, wealth, plan, thin, out_of_time)
    check = Check("sbc", verdict, (reason,), len(done), seconds, alpha, data)
    return SbcOutcome(names, ranks, check, wealth.effect)


def _verdict(
    names: Sequence[str], p: Array, wealth: Wealth, plan: SbcPlan, thin: int, out_of_time: bool
) -> tuple[Verdict, Reason]:
    """Decide from the ranks' p values and the bet; of both tests, ranks are said first."""
    n, worst = wealth.n, int(np.argmin(p))
    p_worst = float(min(1.0, p[worst] * p.size))
    sizes = {"quantities": p.size, "replicates": n}
    if p_worst < error_rates.SBC_RANKS:
        numbers = {"quantity": names[worst], "p": p_worst, **sizes}
        return "failed", Reason(Code.RANKS_NOT_UNIFORM, numbers)
    if wealth.log_wealth > -np.log(error_rates.SBC_MEANS):
        numbers = {"log10_wealth": wealth.log_wealth / np.log(10), "replicates": n}
        return "failed", Reason(Code.NOT_CALIBRATED, numbers)
    if out_of_time and n < plan.replicates:
        return "inconclusive", Reason(Code.OUT_OF_TIME, {"done": n, "wanted": plan.replicates})
    return "passed", Reason(Code.CALIBRATED, {**sizes, "thin": thin})


def _bet_on(scene: Scene, names: tuple[str, ...], wealth: Wealth) -> list[str]:
    """Return what was bet on: ranks where there are given data, else bounded quantities."""
    if wealth.m == 2 * len(names):
        return [f"rank of {name}, {shape}" for shape in ("location", "spread") for name in names]
    return [str(q) for q in scene.quantities]


def _quantity_table(wealth: Wealth, names: list[str]) -> dict[str, list[object]]:
    effect = wealth.effect
    return {
        "quantity": names,
        "sweeps": [0] * len(names),
        "reference": ["paired"] * len(names),
        "effect": effect.round(5).tolist(),
        "z": (effect * np.sqrt(wealth.n)).round(2).tolist(),
        "replicates": [wealth.n] * len(names),
        "log_wealth": wealth.log_single.max(axis=1).round(2).tolist(),
    }

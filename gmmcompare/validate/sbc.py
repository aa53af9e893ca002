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
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gmmcompare import __version__
from gmmcompare.engines.own import source_digest
from gmmcompare.errors import InputError
from gmmcompare.params import Array, Params
from gmmcompare.priors import Priors
from gmmcompare.validate.betting import Wealth
from gmmcompare.validate.child import Task, seed_global_streams
from gmmcompare.validate.ecdf import counts_below, simultaneous_bands, uniformity_p
from gmmcompare.validate.quantities import Quantity, evaluate, log_likelihoods, quantities
from gmmcompare.validate.sandbox import OutOfTimeError, Sandbox
from gmmcompare.validate.scenes import Scene
from gmmcompare.validate.simulate import streams
from gmmcompare.validate.subject import Subject
from gmmcompare.validate.verdict import Check, Diagnosis

if TYPE_CHECKING:
    import xarray as xr

Relabel = Literal["mean", "none"]
ALPHA_RANKS = 1e-6
ALPHA_MEANS = 1e-5
RANKS = 100
"""Values that a rank can take: 99 thinned posterior draws."""
_CHAINS = 4
_MAX_THIN = 20
_ROUND = 50


@dataclass(frozen=True)
class SbcPlan:
    """How many replicates, and the warmup of each chain."""

    replicates: int = 500
    warmup: int = 300
    relabel: Relabel = "mean"


QUICK_SBC = SbcPlan(replicates=100)


class SbcReplicate(NamedTuple):
    """One run: ranks (Q,), bounded quantities (M,) at the prior draw and averaged over draws."""

    ranks: list[int]
    start: list[float]
    mean: list[float]
    ordered: bool


@dataclass(frozen=True)
class SbcOutcome:
    """All replicates and the check they amount to."""

    names: tuple[str, ...]
    ranks: NDArray[np.int64]
    check: Check

    def to_datatree(self) -> xr.DataTree:
        """Return the ranks as PIT values in the group ``prior_sbc``, for `az.plot_ecdf_pit`."""
        import xarray as xr

        pits = (self.ranks + 0.5) / RANKS
        variables = {
            name: (("chain", "draw"), pits[None, :, i]) for i, name in enumerate(self.names)
        }
        data = xr.Dataset(variables, {"chain": [0], "draw": np.arange(len(pits))}, {"ranks": RANKS})
        return xr.DataTree.from_dict({"prior_sbc": data})

    def diagnosis(self) -> Diagnosis:
        """Say which quantities are off, and which way."""
        found = []
        data = self.check.data
        for name, p, at in zip(self.names, data["p"], data["mean_rank"], strict=True):
            if p < 1e-3:
                way = "too small" if at > 0.55 else "too large" if at < 0.45 else "off in spread"
                found.append(
                    f"{name}: the sampler's draws are {way} (mean rank of the truth {at:.2f}, "
                    "0.50 is right)"
                )
        return Diagnosis(tuple(found))


def rank_quantities(params: Params, y: Array, priors: Priors) -> dict[str, Array]:
    """Return what is ranked, each of shape (n,), for parameters (n, K) and data (n, N)."""
    log_lik = log_likelihoods(params, y)
    out = {
        "log_likelihood": log_lik,
        "log_prior": priors.log_density(params),
        "mixture_mean": (params.w * params.mu).sum(axis=1),
        "largest_weight": params.w.max(axis=1),
    }
    for name, values in zip(params._fields, params, strict=True):
        for k in range(values.shape[1]):
            out[f"{name}_{k + 1}"] = values[:, k]
    return out


def by_mean(params: Params) -> Params:
    """Put the components of each point (..., K) in ascending order of their means."""
    order = np.argsort(params.mu, axis=-1, kind="stable")
    return Params(*(np.take_along_axis(a, order, axis=-1) for a in params))


def check_sbc(
    sandbox: Sandbox,
    scene: Scene,
    plan: SbcPlan,
    seed: int,
    progress: Callable[[str, float], None],
    store: Path | None = None,
) -> SbcOutcome:
    """Run a whole sampler on data sets drawn from the prior; see the module.

    Parameters
    ----------
    store : Path, optional
        A folder; each replicate is written there as it finishes, and finished ones are not run
        again (unless the sampler's file, the plan, the seed or the version changed).

    Raises
    ------
    BrokenError
        If the sampler fails in a run.
    InputError
        If the ranks would be wrong by construction.
    """
    started = time.perf_counter()
    setting: dict[str, Any] = {"scene": scene, "plan": plan, "seed": seed}
    thin = int(next(sandbox.run([Task(choose_thinning, setting)])))
    digest = str(next(sandbox.run([Task(_digest, {})])))
    kept = _Store.of(store, {"sampler": digest, **setting, "thin": thin, "version": __version__})
    done = kept.read()
    missing = [i for i in range(plan.replicates) if i not in done]
    tasks = [Task(sbc_replicate, {**setting, "index": i, "thin": thin}) for i in missing]
    out_of_time = False
    try:
        for i, made in zip(missing, sandbox.run(tasks), strict=True):
            done[i] = made
            kept.write(i, made)
            progress("sbc", len(done) / plan.replicates)
            if len(done) % _ROUND == 0 and _wealth(done).log_wealth > -np.log(ALPHA_MEANS):
                break
    except OutOfTimeError:
        out_of_time = True
    return _outcome(done, scene, plan, thin, out_of_time, time.perf_counter() - started)


def choose_thinning(subject: Subject, scene: Scene, plan: SbcPlan, seed: int) -> int:
    """Return the thinning that leaves draws nearly independent, from one run; in the child."""
    ours, theirs = streams(seed, 0x5BC, 0)
    seed_global_streams(ours)
    _, y = scene.sample_joint(ours, 1)
    draws = subject.run(y[0], scene.K, scene.priors, 400, plan.warmup, _CHAINS, theirs)
    table = _ranked(draws, y[0], scene, plan)
    times = [autocorrelation_time(v.reshape(_CHAINS, -1)) for v in table.values()]
    return int(np.clip(np.ceil(np.median(times)), 1, _MAX_THIN))


def sbc_replicate(
    subject: Subject, scene: Scene, plan: SbcPlan, seed: int, index: int, thin: int
) -> SbcReplicate:
    """Make one replicate; in the child."""
    ours, theirs = streams(seed, 0x5BC, 1 + index)
    seed_global_streams(ours)
    start, y = scene.sample_joint(ours, 1)
    draws = RANKS // _CHAINS * thin
    run = subject.run(y[0], scene.K, scene.priors, draws, plan.warmup, _CHAINS, theirs)
    thinned = Params(*(a[:, thin - 1 :: thin] for a in run))
    truth = _ranked(Params(*(a[None] for a in start)), y[0], scene, plan)
    drawn = _ranked(thinned, y[0], scene, plan)
    ranks = [int((drawn[name][: RANKS - 1] < truth[name][0]).sum()) for name in truth]
    every = by_mean(Params(*(a.reshape(-1, scene.K) for a in run)))
    mean = evaluate(every, np.broadcast_to(y, (len(every.w), scene.N)), scene).mean(axis=0)
    before = evaluate(by_mean(start), y, scene)[0]
    ordered = bool((np.diff(run.mu, axis=-1) >= 0).all())
    return SbcReplicate(ranks, before.tolist(), mean.tolist(), ordered)


def autocorrelation_time(x: Array) -> float:
    """Return the integrated autocorrelation time of chains (C, n), by Geyer's (1992) pairs."""
    centred = x - x.mean()
    n = x.shape[1]
    spectrum = np.abs(np.fft.rfft(centred, 2 * n)) ** 2
    covariance = np.fft.irfft(spectrum)[:, :n].mean(axis=0)
    if covariance[0] <= 0.0:
        return float(n)
    rho = covariance / covariance[0]
    pairs = rho[: n // 2 * 2].reshape(-1, 2).sum(axis=1)
    positive = pairs[: int(np.argmax(pairs <= 0.0)) if (pairs <= 0.0).any() else pairs.size]
    return max(1.0, 2.0 * float(positive.sum()) - 1.0)


def _ranked(draws: Params, y: Array, scene: Scene, plan: SbcPlan) -> dict[str, Array]:
    flat = Params(*(a.reshape(-1, scene.K) for a in draws))
    points = by_mean(flat) if plan.relabel == "mean" else flat
    return rank_quantities(points, np.broadcast_to(y, (len(points.w), y.size)), scene.priors)


def _digest(subject: Subject) -> str:
    return source_digest(subject.function)


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
    alpha = ALPHA_RANKS + ALPHA_MEANS
    if len(done) < _ROUND:
        summary = f"out of time after {len(done)} of {plan.replicates} replicates"
        check = Check("sbc", "inconclusive", summary, len(done), seconds, alpha)
        return SbcOutcome((), np.empty((0, 0), dtype=np.int64), check)
    if plan.relabel == "none" and all(r.ordered for r in done.values()):
        raise InputError(
            "sbc: every posterior draw has its means in ascending order but prior draws have not: "
            "ranking component by component is wrong by construction; use relabel='mean', which "
            "orders both by the same rule"
        )
    params, y = scene.sample_joint(np.random.default_rng(0), 2)
    names = tuple(rank_quantities(params, y, scene.priors))
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
        "quantities": {scene.name: _quantity_table(wealth, quantities(scene))},
        "scene": {"K": scene.K, "N": scene.N, "priors": scene.priors.to_dict()},
    }  # fmt: skip
    worst = int(np.argmin(p))
    p_worst = float(min(1.0, p[worst] * p.size))
    n = len(done)
    if p_worst < ALPHA_RANKS:
        summary = (
            f"ranks of {names[worst]} are not uniform over {n} replicates "
            f"(p {p_worst:.1g} for all {p.size} quantities together)"
        )
        check = Check("sbc", "failed", summary, n, seconds, alpha, data)
    elif wealth.log_wealth > -np.log(ALPHA_MEANS):
        summary = (
            f"posterior draws do not average to prior draws over {n} replicates: a bet against it "
            f"multiplied its stake by 10^{wealth.log_wealth / np.log(10):.0f}"
        )
        check = Check("sbc", "failed", summary, n, seconds, alpha, data)
    elif out_of_time and n < plan.replicates:
        summary = f"out of time after {n} of {plan.replicates} replicates"
        check = Check("sbc", "inconclusive", summary, n, seconds, alpha, data)
    else:
        summary = f"{p.size} quantities ranked uniformly over {n} replicates, every {thin}th draw"
        check = Check("sbc", "passed", summary, n, seconds, alpha, data)
    return SbcOutcome(names, ranks, check)


def _quantity_table(wealth: Wealth, names: tuple[Quantity, ...]) -> dict[str, list[object]]:
    effect = wealth.effect
    return {
        "quantity": [str(q) for q in names],
        "reference": ["paired"] * len(names),
        "effect": effect.round(5).tolist(),
        "z": (effect * np.sqrt(wealth.n)).round(2).tolist(),
        "replicates": [wealth.n] * len(names),
        "log_wealth": wealth.log_single.max(axis=1).round(2).tolist(),
    }


@dataclass
class _Store:
    """Replicates on disk, one line of JSON each; nothing is kept where there is no folder."""

    path: Path | None

    @classmethod
    def of(cls, folder: Path | None, setting: dict[str, Any]) -> _Store:
        """Name the file by a hash of everything that a replicate depends on."""
        if folder is None:
            return cls(None)
        folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(repr(sorted(setting.items())).encode()).hexdigest()[:16]
        return cls(folder / f"sbc-{digest}.jsonl")

    def read(self) -> dict[int, SbcReplicate]:
        """Return the finished replicates; a line cut short by an interruption is dropped."""
        if self.path is None or not self.path.is_file():
            return {}
        found = {}
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            found[int(row.pop("index"))] = SbcReplicate(**row)
        return found

    def write(self, index: int, made: SbcReplicate) -> None:
        """Append one replicate."""
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"index": index, **made._asdict()}) + "\n")

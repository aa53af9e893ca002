"""Data of the lesson on faults: each on thousands of observations, and on twelve."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm

from gmmcompare.comparison.diagnostics import convergence
from gmmcompare.comparison.labels import Reference, align
from gmmcompare.engines.base import Problem, Step, no_progress
from gmmcompare.engines.em.engine import EmEngine
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.lessons.cards import card_with_data
from gmmcompare.model.card import EmSettings, GibbsSettings
from gmmcompare.model.params import Array, Params
from gmmcompare.validation import error_rates
from gmmcompare.validation.checks.invariance import SceneTest, kernel_replicates
from gmmcompare.validation.checks.scenes import CALIBRATION
from gmmcompare.validation.faults.catalogue import FAULTS, NOT_FAULTS, fault
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject

SEED = 4
CARD, DATASET = "exoplanets-k3", "exoplanets-simulated"
CHOSEN = (
    "mean-loc-ignored",
    "prior-sd-as-variance",
    "var-scale-dropped",
    "var-shape-and-scale-swapped",
    "squares-about-ybar",
    "shape-half-too-much",
    "dirichlet-prior-twice",
    "likelihood-without-sigma",
    "correct",
)
SWEEPS, WARMUP = 10_000, 100
REFERENCE = GibbsSettings(chains=4, warmup=1000, draws=10_000)
ROUND, ROUNDS = 250, 10
FAMILY_ALPHA = 0.01
"""A shift on the large data counts as seen if it is significant at this level, taken over all."""
BINS = 20
RANKS_ALPHA = 0.01
"""How often the ranks of a right sampler leave the band of chance anywhere."""
COMMANDS = ("gmmcompare validate fault:mean-loc-ignored",)
FACTS = (
    f"Large data: {DATASET} with the card {CARD}, {SWEEPS:,} sweeps of each sampler from EM’s "
    f"solution after {WARMUP}, against {REFERENCE.chains} chains of {REFERENCE.draws:,} draws of "
    f"the tested Gibbs engine; seed {SEED}.",
    f"Small data: {CALIBRATION.N} observations, {CALIBRATION.K} groups, the calibration prior, "
    f"{CALIBRATION.sweeps} sweeps, up to {ROUND * ROUNDS:,} replicates; seed {SEED}. The command "
    "validate does this under two priors and in other sizes and units, and more.",
)


def compute(progress: Step) -> dict[str, Any]:
    """Return for each chosen fault its shifts on large data and its trial on small data."""
    problem, reference = large_data()
    rows = []
    for i, name in enumerate(CHOSEN):
        shown = {**FAULTS, **NOT_FAULTS}[name]
        rows.append(
            {
                "name": name,
                "mistake": shown.mistake,
                "effect": shown.effect,
                "large": on_large_data(name, problem, reference),
                "small": on_small_data(name),
            }
        )
        progress((i + 1) / len(CHOSEN))
    p = CALIBRATION.priors
    return {
        "n": problem.sample.n,
        "K": problem.K,
        "small_n": CALIBRATION.N,
        "sweeps": CALIBRATION.sweeps,
        "small_prior": p.to_dict(),
        "large_prior": {k: np.atleast_1d(v)[0] for k, v in problem.priors.to_dict().items()},
        "alpha": error_rates.INVARIANCE,
        "threshold": float(-np.log10(error_rates.INVARIANCE)),
        "round": ROUND,
        "rounds": ROUNDS,
        "gallery": len(FAULTS),
        "not_faults": len(NOT_FAULTS),
        "limit": _limit(3 * problem.K, FAMILY_ALPHA),
        "family_alpha": FAMILY_ALPHA,
        "rank_limit": _limit(BINS, RANKS_ALPHA),
        "ranks_alpha": RANKS_ALPHA,
        "faults": rows,
    }


def large_data() -> tuple[Problem, Params]:
    """Return the problem and reference draws of (w, mu, sigma), aligned, (chains, draws, K)."""
    card, sample = card_with_data(CARD, f"data.dataset={DATASET}")
    problem = Problem(sample, card.K, card.build_priors())
    best = EmEngine(EmSettings()).run(problem, SEED, no_progress).params
    draws = GibbsEngine(REFERENCE).run(problem, SEED, no_progress).params
    aligned = align(draws, Reference.of(best, sample)).params
    return Problem(sample, card.K, problem.priors, (best.ordered_by_mean(),)), aligned


def on_large_data(name: str, problem: Problem, reference: Params) -> dict[str, Any]:
    """Return shifts of posterior means in posterior sds, and their Monte Carlo standard errors.

    Of w, mu and log sigma of each component.

    Parameters
    ----------
    name : str
        Of a kernel in the gallery.
    problem : Problem
        With a start.
    reference : Params
        Draws of the correct sampler, aligned, arrays (chains, draws, K).
    """
    rng = np.random.default_rng(SEED)
    kernel, y, here = fault(name), problem.sample.y, problem.starts[0]
    out = Params(*(np.empty((1, SWEEPS, problem.K)) for _ in Params._fields))
    for i in range(-WARMUP, SWEEPS):
        here = kernel(*here, y, problem.priors, rng)
        if i >= 0:
            for kept, value in zip(out, here, strict=True):
                kept[0, i] = value
    drawn = align(out, Reference.of(problem.starts[0], problem.sample)).params
    theirs, ours = _quantities(drawn), _quantities(reference)
    ess_theirs, ess_ours = (convergence(q).ess_bulk for q in (theirs, ours))
    shifts, errors = [], []
    for key, values in theirs.items():
        sd = float(ours[key].std())
        shifts.append(float(values.mean() - ours[key].mean()) / sd)
        spread = float(values.std()) / sd
        errors.append(float(np.hypot(spread / ess_theirs[key] ** 0.5, ess_ours[key] ** -0.5)))
    z = np.abs(np.array(shifts) / np.array(errors))
    return {
        "names": list(theirs),
        "shift": shifts,
        "error": errors,
        "largest": float(np.abs(shifts).max()),
        "largest_z": float(z.max()),
        "seen": not z.max() <= _limit(z.size, FAMILY_ALPHA),
    }


def on_small_data(name: str) -> dict[str, Any]:
    """Return the log10 wealth of the bet against the sampler, and where parameters end up.

    The ranks are of the parameter whose distribution is least uniform at the end.
    """
    subject = MixtureSubject(fault(name), name)
    test = SceneTest.of(CALIBRATION)
    rng = np.random.default_rng(SEED)
    wealth, pits = [0.0], [np.zeros_like(test.pits)]
    for block in range(ROUNDS):
        test.add([kernel_replicates(subject, CALIBRATION, SEED, block, ROUND)], rng)
        wealth.append(test.wealth.log_wealth / np.log(10.0))
        pits.append(test.pits.copy())
    counts = np.array(pits).reshape(ROUNDS + 1, len(test.pits), BINS, -1).sum(axis=-1)
    worst = int(np.argmax(((counts[-1] - counts[-1].mean()) ** 2).sum(axis=-1)))
    marginal = [name.replace(" ", "[") + "]" for name in CALIBRATION.parameters.values()]
    caught = next((i for i, w in enumerate(wealth) if w >= -np.log10(error_rates.INVARIANCE)), None)
    return {
        "log10_wealth": wealth,
        "caught_at": None if caught is None else caught * ROUND,
        "worst": marginal[worst],
        "ranks": counts[:, worst].astype(int),
    }


def _quantities(params: Params) -> dict[str, Array]:
    values = {"w": params.w, "mu": params.mu, "log sigma": np.log(params.sigma)}
    return {f"{name}[{k + 1}]": a[..., k] for name, a in values.items() for k in range(params.K)}


def _limit(m: int, alpha: float) -> float:
    """Return how large the largest of m z-scores may be at level alpha (Bonferroni)."""
    return float(norm.isf(alpha / (2 * m)))

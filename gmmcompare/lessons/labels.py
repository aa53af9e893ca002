"""Data of the lesson on labels: components that cross in mean, and chains that a wall traps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmcompare.comparison.diagnostics import convergence, parameter_values
from gmmcompare.comparison.labels import Alignment, Reference, align, sort_by_mean
from gmmcompare.engines.base import Problem, Step, no_progress
from gmmcompare.engines.em.engine import EmEngine
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.lessons.cards import card_with_data
from gmmcompare.model import mixture
from gmmcompare.model.card import EmSettings, GibbsSettings, NutsSettings
from gmmcompare.model.compiled import score
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

SEED = 4
N = 200
TRUE = Params(np.array([0.5, 0.5]), np.array([0.05, 0.06]), np.array([0.14, 0.026]))
CROSSING = GibbsSettings(chains=4, warmup=1000, draws=2000)
SHOWN = 75
"""Draws of each chain that the page shows."""
CARD, DATASET = "exoplanets-k3", "exoplanets-simulated"
GIBBS = GibbsSettings(chains=4, warmup=1000, draws=1000)
ORDERED = NutsSettings(identify="ordered", start="default", chains=8, warmup=500, draws=500)
FREE = ORDERED.model_copy(update={"identify": "none"})
"""The same run from the same default starts, but without the order."""
INTERVAL = (0.05, 0.5, 0.95)
TRACE_EVERY = 10
FAR = 10.0
"""A chain is in another mode if its mean log-likelihood is lower than the best by more."""
COMMANDS = (
    f"gmmcompare compare {CARD} --engines gibbs,nuts --set data.dataset={DATASET}"
    f" --set engines.nuts.identify=ordered --set engines.nuts.start=default"
    f" --set engines.nuts.chains={ORDERED.chains} --set engines.nuts.draws={ORDERED.draws}",
)
FACTS = (
    f"Crossing groups: {N} values simulated with seed {SEED}, K=2, default priors, "
    f"{CROSSING.chains} chains of {CROSSING.draws:,} draws of Gibbs.",
    f"The trap: {DATASET}, K=3, NUTS with identify=ordered and start=default, {ORDERED.chains} "
    f"chains of {ORDERED.draws:,} draws after {ORDERED.warmup:,} of warmup, seed {SEED}; Gibbs "
    f"with {GIBBS.chains} chains of {GIBBS.draws:,}. The run without the rule differs in "
    "identify=none only.",
)


def compute(progress: Step) -> dict[str, Any]:
    """Return draws under three labellings, and the chains of the ordered run."""
    crossing = crossing_groups()
    progress(0.1)
    trap = ordered_run()
    return {"crossing": crossing, "trap": trap, "far": FAR}


def crossing_groups() -> dict[str, Any]:
    """Return draws as drawn, sorted by mean, and aligned, with how often each is wrong."""
    y, _ = mixture.simulate(TRUE, N, np.random.default_rng(SEED))
    problem = Problem(Sample.of(y), 2, Priors())
    draws = GibbsEngine(CROSSING).run(problem, SEED, no_progress).params
    reference = EmEngine(EmSettings()).run(problem, SEED, no_progress).params
    as_drawn = np.broadcast_to(np.arange(2), draws.mu.shape)
    labellings = {
        "drawn": Alignment(draws, as_drawn),
        "sorted": sort_by_mean(draws),
        "aligned": align(draws, Reference.of(reference, problem.sample)),
    }
    every = CROSSING.draws // SHOWN
    thin = Params(*(a[:, ::every][:, :SHOWN].reshape(-1, 2) for a in draws))
    return {
        "y": problem.sample.y,
        "truth": TRUE._asdict(),
        "n_draws": int(draws.mu[..., 0].size),
        "chains": CROSSING.chains,
        "shown": SHOWN,
        "every": every,
        "interval": INTERVAL[-1] - INTERVAL[0],
        **thin._asdict(),
        "labels": {
            name: found.labels[:, ::every][:, :SHOWN].reshape(-1, 2)
            for name, found in labellings.items()
        },
        "mislabelled": {name: mislabelled(found.params) for name, found in labellings.items()},
        "sd_of_first": {
            name: [float(np.quantile(found.params.sigma[..., 0], q)) for q in INTERVAL]
            for name, found in labellings.items()
        },
    }


def mislabelled(labelled: Params) -> float:
    """Return the share of draws whose wide group has the label that it has less often."""
    first_is_wide = float((labelled.sigma[..., 0] > labelled.sigma[..., 1]).mean())
    return min(first_is_wide, 1.0 - first_is_wide)


def trap_problem() -> Problem:
    """Return the data, number of components and priors of the trap."""
    card, sample = card_with_data(CARD, f"data.dataset={DATASET}")
    return Problem(sample, card.K, card.build_priors())


def where_it_should_be(problem: Problem) -> dict[str, Any]:
    """Return the summit by EM, the log-likelihood by Gibbs, and the wall between two means."""
    sample = problem.sample
    gibbs = GibbsEngine(GIBBS).run(problem, SEED, no_progress).params
    best = EmEngine(EmSettings()).run(problem, SEED, no_progress).params.ordered_by_mean()
    return {
        "n": sample.n,
        "label": sample.origin.label,
        "em": best._asdict(),
        "em_log_lik": float(mixture.log_likelihood(sample, best)),
        "gibbs": float(score(sample, gibbs).log_lik.mean()),
        "wall": wall(sample, best),
    }


def ordered_run() -> dict[str, Any]:
    """Return the ordered run chain by chain, and where its chains should have been."""
    from gmmcompare.engines.nuts.engine import NutsEngine  # imports PyMC

    problem = trap_problem()
    sample, target = problem.sample, where_it_should_be(problem)
    draws = NutsEngine(ORDERED).run(problem, SEED, no_progress)
    free = NutsEngine(FREE).run(problem, SEED, no_progress)
    log_lik = score(sample, draws.params).log_lik
    right = target["gibbs"]
    heights = log_lik.mean(axis=1)
    diverging = draws.stats["diverging"].sum(axis=1)
    silent = np.flatnonzero((heights < right - FAR) & (diverging == 0))
    return {
        **target,
        "chains": [
            {
                "log_lik": float(heights[i]),
                "trace": np.round(log_lik[i, ::TRACE_EVERY], 1),
                "mu": draws.params.mu[i].mean(axis=0),
                "w": draws.params.w[i].mean(axis=0),
                "sigma": np.median(draws.params.sigma[i], axis=0),
                "nearest": int(np.argmin(np.diff(draws.params.mu[i].mean(axis=0)))),
                "divergences": int(diverging[i]),
                "far": bool(heights[i] < right - FAR),
            }
            for i in range(ORDERED.chains)
        ],
        "free": [
            {
                "log_lik": float(height),
                "divergences": int(n),
                "far": bool(height < right - FAR),
            }
            for height, n in zip(
                score(sample, free.params).log_lik.mean(axis=1),
                free.stats["diverging"].sum(axis=1),
                strict=True,
            )
        ],
        "silent": silent,
        "pair": _alike(draws.params, log_lik, silent),
    }


def _alike(params: Params, log_lik: Array, chains: NDArray[np.intp]) -> dict[str, Any] | None:
    """Diagnose the two silent chains that are nearest each other, as if no other had been run."""
    if chains.size < 2:
        return None
    heights = log_lik[chains].mean(axis=1)
    order = np.argsort(heights)
    at = int(np.argmin(np.diff(heights[order])))
    two = chains[np.sort(order[at : at + 2])]
    found = convergence(parameter_values(Params(*(a[two] for a in params)), log_lik[two]))
    return {
        "chains": two,
        "rhat": found.worst_rhat[1],
        "ess": float(np.median(list(found.ess_bulk.values()))),
        "log_lik": float(log_lik[two].mean()),
    }


def wall(sample: Sample, best: Params) -> dict[str, Any]:
    """Return the log-likelihood as the wide group's mean moves past the narrow group's.

    Everything else stays at EM's solution, whose components come in order of their means.
    """
    wide, narrow = (1, 2) if best.sigma[1] > best.sigma[2] else (2, 1)
    x = np.linspace(best.mu[wide] - 0.03, best.mu[narrow] + 0.045, 121)
    mu = np.tile(best.mu, (x.size, 1))
    mu[:, wide] = x
    points = Params(*(np.broadcast_to(a, mu.shape) for a in (best.w, mu, best.sigma)))
    return {
        "x": x,
        "log_lik": mixture.log_likelihood(sample, points),
        "narrow": float(best.mu[narrow]),
        "wide": float(best.mu[wide]),
    }

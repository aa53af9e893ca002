"""Data of the lesson on Gibbs: sweeps of the readable sampler from EM's hopeless start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gmmcompare.comparison.diagnostics import convergence, parameter_values
from gmmcompare.comparison.labels import Reference, align
from gmmcompare.engines.base import Draws, Problem, Step, no_progress
from gmmcompare.engines.em.engine import EmEngine
from gmmcompare.engines.gibbs import plain as gibbs_plain
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.engines.starts import start_point
from gmmcompare.lessons import em
from gmmcompare.lessons.cards import card_with_data
from gmmcompare.model import mixture
from gmmcompare.model.card import EmSettings, GibbsSettings
from gmmcompare.model.compiled import score
from gmmcompare.model.params import Array, Params

K = 4
SEED = 4
SWEEPS = 250
IN_STEPS = 12
"""The first sweeps are shown step by step: z, w, mu, sigma."""
BURN_IN = 50
CURVES = 120
LAGS = 80
LONG = GibbsSettings(chains=4, warmup=2000, draws=20000, start="lecture")
COMMANDS = (
    f"gmmcompare fit {em.CARD} --engine gibbs --set engines.gibbs.start={LONG.start}"
    f" --set engines.gibbs.draws={LONG.draws}",
)
FACTS = (
    f"The sweeps are those of the readable sampler, gibbs_plain, with seed {SEED}; priors are "
    f"those of the card {em.CARD}.",
    f"The cloud and the autocorrelations are of the fast sampler: {LONG.chains} chains of "
    f"{LONG.draws:,} draws after {LONG.warmup:,} of warmup, seed {SEED}.",
)


def problem() -> Problem:
    """Return the lesson's data and model."""
    card, sample = card_with_data(em.CARD)
    return Problem(sample, card.K, card.build_priors())


def compute(progress: Step) -> dict[str, Any]:
    """Return the data, the detailed sweeps, EM's path from the same start, and a long run."""
    model = problem()
    rng = np.random.default_rng(SEED)
    start = start_point("lecture", model, rng)
    swept = _sweeps_from(start, model, rng)
    progress(0.3)
    long = GibbsEngine(LONG).run(model, SEED, no_progress)
    progress(0.8)
    return {
        "y": model.sample.y,
        "label": model.sample.origin.label,
        "source": model.sample.origin.source,
        "K": K,
        "in_steps": IN_STEPS,
        "burn_in": BURN_IN,
        "seed": SEED,
        "start": start._asdict(),
        "priors": {name: values[0] for name, values in _lists(model).items()},
        "em_log_lik": em.path_from(start, model.sample)["log_lik"],
        **swept,
        "long": long_run(long, model),
    }


def _sweeps_from(start: Params, model: Problem, rng: np.random.Generator) -> dict[str, Any]:
    """Return z as strings of digits, w, mu, sigma (SWEEPS, K) and log_lik (SWEEPS + 1,)."""
    y, priors = model.sample.y, model.priors.expanded(K)
    here, z_history, points = start, [], [start]
    for _ in range(SWEEPS):
        z = gibbs_plain.draw_allocations(*here, y, rng.random(y.size))
        here = gibbs_plain.draw_parameters(z, here.sigma, y, priors, rng)
        z_history.append("".join(map(str, z)))
        points.append(here)
    every = Params(*(np.stack(a) for a in zip(*points, strict=True)))
    drawn = {name: a[1:] for name, a in every._asdict().items()}
    return {
        "z": z_history,
        **drawn,
        "log_lik": mixture.log_likelihood(model.sample, every),
    }


def long_run(draws: Draws, model: Problem) -> dict[str, Any]:
    """Return a cloud of curves, autocorrelations and effective sample sizes of a long run."""
    best = EmEngine(EmSettings(objective="map")).run(model, SEED, no_progress).params
    best = best.ordered_by_mean()
    aligned = align(draws.params, Reference.of(best, model.sample)).params
    log_lik = score(model.sample, aligned).log_lik
    found = convergence(parameter_values(aligned, log_lik))
    every = LONG.chains * LONG.draws // CURVES
    cloud = Params(*(a.reshape(-1, K)[::every][:CURVES] for a in aligned))
    values = parameter_values(aligned, log_lik)
    where = aligned.mu.mean(axis=(0, 1))

    def traced(choose: Callable[..., str]) -> dict[str, Any]:
        name = choose(found.ess_bulk, key=lambda key: found.ess_bulk[key])
        acf, ess = autocorrelation(values[name]), found.ess_bulk[name]
        return {"name": in_words(name, where), "acf": acf, "ess": ess}

    return {
        "cloud": cloud._asdict(),
        "map": best._asdict(),
        "n_draws": LONG.chains * LONG.draws,
        "slow": traced(min),
        "fast": traced(max),
        "rhat": found.worst_rhat[1],
    }


def in_words(name: str, where: Array) -> str:
    """Return a parameter's name in words; a group goes by its mean, since its number means nothing.

    ``mu[2]`` becomes "mean of the group at 23.3"; ``where``, shape (K,), has the means.
    """
    words = {"w": "weight", "mu": "mean", "sigma": "sd"}
    parameter, _, k = name.rstrip("]").partition("[")
    if not k:
        return "log-likelihood"
    return f"{words[parameter]} of the group at {where[int(k) - 1]:.1f}"


def autocorrelation(values: Array) -> Array:
    """Return autocorrelations at lags 0 to `LAGS`, the mean over chains; values (chains, draws)."""
    centred = values - values.mean(axis=1, keepdims=True)
    n = values.shape[1]
    products = [(centred[:, lag:] * centred[:, : n - lag]).sum(axis=1) for lag in range(LAGS + 1)]
    return np.asarray((np.array(products) / products[0]).mean(axis=1))


def _lists(model: Problem) -> dict[str, list[float]]:
    values = model.priors.expanded(K).to_dict()
    return {name: list(np.atleast_1d(v)) for name, v in values.items()}

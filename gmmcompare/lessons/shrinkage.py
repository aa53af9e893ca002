"""Data of the lesson on shrinkage: one set of measured values, and errors of any size."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gmmcompare.comparison.density import measured_density
from gmmcompare.engines.base import Problem, no_progress
from gmmcompare.engines.em.engine import EmEngine
from gmmcompare.model import mixture
from gmmcompare.model.card import EmSettings
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.progress import Step

K = 2
SEED = 16
N = 90
TRUE = Params(np.array([0.6, 0.4]), np.array([-1.0, 1.0]), np.array([0.5, 0.25]))
QUALITY = (0.5, 1.0, 1.5)
"""How the planets' errors compare with the size that is dragged."""
TRUE_SIZE = 0.4
SIZES = np.linspace(0.0, 0.7, 29)
X = np.linspace(-4.0, 3.5, 226)
STARTS = 6
COMMANDS: tuple[str, ...] = ()
FACTS = (
    f"Data: true values of {N} planets from two groups and their errors of measurement, simulated "
    f"with seed {SEED}; a planet’s error has an sd of {QUALITY[0]}, {QUALITY[1]:g} or {QUALITY[2]} "
    f"times the size. The measured values are made with a size of {TRUE_SIZE} and never change.",
    f"For each size the groups are those of maximum likelihood, by the EM engine from {STARTS} "
    "starts (extreme deconvolution: Bovy, Hogg and Roweis 2011).",
    "A planet’s true value is its mean given the measured one and these groups.",
)


def data() -> tuple[Array, Array, Array]:
    """Return true values, measured values, and the quality of each planet's error, (N,) each."""
    rng = np.random.default_rng(SEED)
    x, _ = mixture.simulate(TRUE, N, rng)
    quality = rng.permutation(np.resize(QUALITY, N))
    y = x + TRUE_SIZE * quality * rng.standard_normal(N)
    order = np.argsort(y)
    return x[order], y[order], quality[order]


def groups(y: Array, errors: Array) -> Params:
    """Return the groups of maximum likelihood by ascending mean.

    Parameters
    ----------
    y, errors : ndarray, shape (N,)
        Measured values and the sds of their errors.

    Returns
    -------
    Params
        Shape (K,).
    """
    engine = EmEngine(EmSettings(starts=STARTS, objective="ml"))
    found = engine.run(Problem(Sample.of(y, errors=errors), K, Priors()), SEED, no_progress)
    params: Params = found.params.ordered_by_mean()
    return params


def true_values(y: Array, at: Params, errors: Array) -> tuple[Array, Array]:
    """Return mean and sd of each planet's true value given its measured one, (N,) each.

    Parameters
    ----------
    y : ndarray, shape (N,)
    at : Params
        The groups, shape (K,).
    errors : ndarray, shape (N,)
    """
    r = mixture.responsibilities(y, at, errors)
    given_group, sd = mixture.true_value_given(y, at, errors)
    mean = (r * given_group).sum(axis=1)
    variance = (r * (sd**2 + (given_group - mean[:, None]) ** 2)).sum(axis=1)
    return mean, np.sqrt(variance)


def compute(progress: Step) -> dict[str, Any]:
    """Return for each size of the error the groups, the true values, and two densities."""
    x, y, quality = data()
    rows = []
    for i, size in enumerate(SIZES):
        rows.append(_row(float(size), x, y, quality))
        progress((i + 1) / len(SIZES))
    return {
        "K": K,
        "x": X,
        "y": y,
        "true": x,
        "quality": quality,
        "qualities": QUALITY,
        "true_size": TRUE_SIZE,
        "true_groups": TRUE._asdict(),
        "at_truth": int(np.argmin(np.abs(SIZES - TRUE_SIZE))),
        "measured_off": float(np.sqrt(np.mean((y - x) ** 2))),
        "rows": rows,
    }


def _row(size: float, x: Array, y: Array, quality: Array) -> dict[str, Any]:
    errors = size * quality
    at = groups(y, errors)
    sample = Sample.of(y, errors=errors)
    # Of size 0 there are no errors, and the measured values are the true ones.
    if sample.errors is None:
        sample = replace(sample, errors=np.zeros(sample.n_distinct))
    mean, sd = true_values(y, at, errors)
    return {
        "size": size,
        **at._asdict(),
        "parts": np.exp(mixture.log_joint(X, at)).T,
        "measured": measured_density(sample, at, X),
        "mean": mean,
        "sd": sd,
        "r": mixture.responsibilities(y, at, errors),
        "off": float(np.sqrt(np.mean((mean - x) ** 2))),
    }

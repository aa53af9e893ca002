"""Values with errors: coverage of Gibbs's intervals, and EM beside extreme deconvolution.

``python -m tests.benchmarks.errors [coverage | em]`` prints rows of the tables in
``reports/errors.md``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import binom

from gmmcompare.engines.base import Problem, no_progress
from gmmcompare.engines.em.engine import _climb, _starts, penalty_for, smallest_gap
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.model.card import EmSettings, GibbsSettings
from gmmcompare.model.mixture import log_likelihood, simulate
from gmmcompare.model.mixture_model import MixtureModel
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

N, DATA_SETS = 300, 100
# Components that priors tell apart, so that each parameter has its own interval.
PRIORS = Priors(2.0, [-1.0, 1.0], 0.5, 3.0, 0.2)
LEVELS = (0.5, 0.9)


def measured(params: Params, rng: np.random.Generator) -> Sample:
    """Measure N draws of a mixture with errors as wide, about, as the components."""
    x, _ = simulate(params, N, rng)
    s = 0.2 * np.exp(0.9 * rng.standard_normal(N))
    return Sample.of(x + s * rng.standard_normal(N), errors=s)


def coverage() -> None:
    """Count how often intervals of Gibbs cover the parameters that data were drawn from.

    The parameters are drawn from the prior, so coverage is nominal if the sampler is right.
    """
    model, settings = MixtureModel(2, N, PRIORS), GibbsSettings(chains=2, warmup=500, draws=3000)
    covered = {(f, k, level): 0 for f in Params._fields for k in range(2) for level in LEVELS}
    ignored = dict(covered)
    for data_set in range(DATA_SETS):
        rng = np.random.default_rng([16, data_set])
        theta = model.draw_prior(1, rng)
        truth = Params(*(np.asarray(theta[f])[0] for f in Params._fields))
        sample = measured(truth, rng)
        for counts, errors in ((covered, sample.errors), (ignored, None)):
            problem = Problem(replace(sample, errors=errors), 2, PRIORS)
            draws = GibbsEngine(settings).run(problem, data_set, no_progress).params
            draws = with_labels_drawn(draws, rng)
            for f, k, level in counts:
                tails = (1 - level) / 2, (1 + level) / 2
                low, high = np.quantile(getattr(draws, f)[..., k], tails)
                counts[f, k, level] += bool(low <= getattr(truth, f)[k] <= high)
        print(data_set + 1, end="\r", file=sys.stderr)
    for level in LEVELS:
        limits = binom.ppf([5e-4, 1 - 5e-4], DATA_SETS, level).astype(int)
        for what, counts in (("with errors", covered), ("errors ignored", ignored)):
            cells = [f"{f}[{k + 1}] {n}" for (f, k, at), n in counts.items() if at == level]
            print(f"{level:.0%} intervals, {what}: {', '.join(cells)}; 99.9 % limits {limits}")


def with_labels_drawn(draws: Params, rng: np.random.Generator) -> Params:
    """Draw the labels of each draw anew given all else, two components.

    A chain stays where it began when components are far apart. The likelihood is the same for
    either numbering, so the prior decides.
    """
    swapped = Params(*(a[..., ::-1] for a in draws))
    gain = PRIORS.log_density(swapped) - PRIORS.log_density(draws)
    swap = rng.random(gain.shape) < 1.0 / (1.0 + np.exp(-gain))
    return Params(*(np.where(swap[..., None], b, a) for a, b in zip(draws, swapped, strict=True)))


def bovy(y: np.ndarray, s: np.ndarray, start: Params, tolerance: float) -> tuple[Params, int]:
    """Run extreme deconvolution as Bovy, Hogg and Roweis (2011) write it, in NumPy, d = 1."""
    w, mu, sigma = start
    variance, last, steps = sigma**2, -np.inf, 0
    while True:
        T = variance + s[:, None] ** 2
        log_q = np.log(w) - 0.5 * ((y[:, None] - mu) ** 2 / T + np.log(2 * np.pi * T))
        top = log_q.max(axis=1, keepdims=True)
        q = np.exp(log_q - top)
        total = q.sum(axis=1, keepdims=True)
        height = float((top + np.log(total)).sum())
        if height - last < tolerance or steps == 20_000:
            return Params(w, mu, np.sqrt(variance)), steps
        q /= total
        b = mu + variance / T * (y[:, None] - mu)
        B = variance - variance**2 / T
        n_k = q.sum(axis=0)
        w, mu = n_k / y.size, (q * b).sum(axis=0) / n_k
        variance = (q * ((b - mu) ** 2 + B)).sum(axis=0) / n_k
        last, steps = height, steps + 1


def pygmmis_fit(y: np.ndarray, s: np.ndarray, start: Params, tolerance: float) -> Params:
    """Run extreme deconvolution by pygmmis (Melchior and Goulding 2018) from the same start."""
    import pygmmis

    mixture = pygmmis.GMM(K=start.w.size, D=1)
    mixture.amp[:], mixture.mean[:, 0], mixture.covar[:, 0, 0] = start.w, start.mu, start.sigma**2
    pygmmis.fit(
        mixture, y[:, None].copy(), covar=(s**2)[:, None, None], init_method="none",
        tol=tolerance / y.size, maxiter=20_000, rng=np.random.RandomState(1),
    )  # fmt: skip
    return Params(mixture.amp, mixture.mean[:, 0], np.sqrt(mixture.covar[:, 0, 0]))


OURS, PLAIN, PYGMMIS = "em", "NumPy, as Bovy, Hogg and Roweis (2011) write it", "pygmmis"


@dataclass(frozen=True)
class Climb:
    """Processor seconds, those of child processes included, and the log-likelihood reached."""

    seconds: float
    height: float


def processor_seconds() -> float:
    """Return the seconds of this process and of its children that have ended."""
    return time.process_time() + sum(os.times()[2:4])


def em_starts(
    sample: Sample | None = None, K: int = 3, starts: int = 5
) -> Iterator[dict[str, Climb]]:
    """Run EM, `bovy` and pygmmis from the same starts to the same log-likelihood."""
    from gmmcompare.data import load_sample

    if sample is None:
        columns = ["pl_radjerr2", "pl_radjerr1"]
        sample = load_sample("exoplanets-errors-simulated", transform="log10", error=columns)
    problem, unit = Problem(sample, K, Priors()).standardised()
    settings = EmSettings(starts=starts)
    penalty, gap = penalty_for(settings, problem), smallest_gap(problem.sample)
    points = _starts(problem, settings, 1, unit.scale)
    _climb(problem.sample, settings, penalty, gap, points[0], 1)
    y, s = problem.sample.y, problem.sample.y_errors
    assert s is not None
    for point in points:
        climbs: dict[str, Callable[[], Params]] = {
            OURS: lambda: _climb(problem.sample, settings, penalty, gap, point).params,  # noqa: B023
            PLAIN: lambda: bovy(y, s, point, 1e-7)[0],  # noqa: B023
            PYGMMIS: lambda: pygmmis_fit(y, s, point, 1e-7),  # noqa: B023
        }
        found = {}
        for name, climb in climbs.items():
            began = processor_seconds()
            reached = climb()
            seconds = processor_seconds() - began
            found[name] = Climb(seconds, float(log_likelihood(problem.sample, reached)))
        yield found


def em() -> None:
    """Print what `em_starts` finds."""
    found = list(em_starts())
    for start in found:
        ours = start[OURS].seconds
        print(
            "; ".join(
                f"{name} {climb.seconds:.4f} s ({climb.seconds / ours:.0f}x), log-likelihood "
                f"{climb.height:.6f}"
                for name, climb in start.items()
            )
        )
    for name in found[0]:
        ratio = np.median([start[name].seconds / start[OURS].seconds for start in found])
        print(f"{name}: median ratio {ratio:.0f}")


if __name__ == "__main__":
    {"coverage": coverage, "em": em}[sys.argv[1]]()

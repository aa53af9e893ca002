"""Which prior matters: power-scaling of what was drawn, and draws under changed hyperparameters.

Power-scaling raises one factor of the posterior to a power near one and asks how fast each quantity
moves. A power of a density depends on the coordinates it is a density of. Here they are the
unconstrained ones, logits of w, mu and log sigma^2, in which every prior stays in its family and
proper: the power alpha of Dirichlet(c) is Dirichlet(alpha c), of Normal(m, s) it is
Normal(m, s / sqrt(alpha)), and of InverseGamma(a, b) it is InverseGamma(alpha a, alpha b). (As a
density of sigma^2 an InverseGamma(1e-4, 1e-4) to the power 0.99 would not even be proper.) So
power-scaling and changed hyperparameters ask the same question, once in a derivative and once in a
finite step.

Draws under a changed prior are compared with those under the card's as two engines are: by the
statistics of `equality`, which need no moment to exist.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from gmmcompare.comparison.diagnostics import power_scaling
from gmmcompare.comparison.equality import Differences, differences
from gmmcompare.comparison.evidence import Evidence
from gmmcompare.comparison.functionals import STATISTICS, as_mapping, functionals
from gmmcompare.comparison.thresholds import ALPHA, MARGIN
from gmmcompare.fitting.fit import Fit
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError

Status = Literal["moves", "stays", "open"]
PARTS = ("weights", "means", "variances", "likelihood")
SENSITIVE = 0.05
"""Kallioinen et al. (2024), section 4: from here on a quantity is sensitive."""
MAX_DRAWS = 20_000
"""Of more draws, evenly spaced ones are used: neighbours tell little more."""
LOCATION = "mean_loc"
_LOG_LARGEST = float(np.log(np.finfo(float).max))
_LOG_SMALLEST = float(np.log(np.finfo(float).tiny))
_STEPS = {2.0: ("halved", "doubled")}


@dataclass(frozen=True)
class Change:
    """One hyperparameter made smaller or larger.

    Attributes
    ----------
    field : str
        Of `Priors`.
    words : str
        Such as ``"halved"``.
    priors : Priors
        With the change made.
    """

    field: str
    words: str
    priors: Priors

    @property
    def name(self) -> str:
        """Short name, also of the folder that keeps the fit."""
        return f"{self.field}-{self.words.replace(' ', '-')}"


def changes(priors: Priors, factor: float = 2.0) -> list[Change]:
    """Return each hyperparameter divided and multiplied by a factor.

    A location has no scale of its own, and half of zero is zero, so ``mean_loc`` is moved instead:
    by ``(1 - 1 / factor) * mean_sd`` down and up, half a prior sd for a factor of two.

    Raises
    ------
    InputError
        If the factor is not above 1.
    """
    if not factor > 1.0:
        raise InputError(f"--factor {factor:g}: must be above 1, such as 2 or 10")
    less, more = _STEPS.get(factor, (f"divided by {factor:g}", f"times {factor:g}"))
    step = (1.0 - 1.0 / factor) * np.asarray(priors.mean_sd)
    found = []
    for field in (f.name for f in fields(Priors)):
        value = np.asarray(getattr(priors, field))
        two = (
            (("lowered", value - step), ("raised", value + step))
            if field == LOCATION
            else ((less, value / factor), (more, value * factor))
        )
        found += [Change(field, words, replace(priors, **{field: new})) for words, new in two]
    return found


def log_parts(priors: Priors, params: Params, log_lik: Array) -> dict[str, Array]:
    """Return the log of each factor of the posterior at draws, up to constants, by `PARTS`.

    Densities are those of unconstrained coordinates (see above).

    An sd beyond the largest float, or a weight below the smallest, is that of an empty component.
    Its log has the prior's exponential tail there, and stands at its expectation: exact to the
    first order in the power, which is all that power-scaling asks for.

    Parameters
    ----------
    priors : Priors
    params : Params
        Draws as the engine labelled them, arrays (chains, draws, K): priors of their own belong to
        labels.
    log_lik : ndarray, shape (chains, draws)
    """
    p = priors.expanded(params.K)
    c, m0, s0, a, b = (np.asarray(getattr(p, f.name)) for f in fields(p))
    with np.errstate(divide="ignore", over="ignore"):
        log_w = np.where(params.w > np.finfo(float).tiny, np.log(params.w), _LOG_SMALLEST - 1.0 / c)
        log_var = 2.0 * np.log(params.sigma)
        log_var = np.where(np.isfinite(log_var), log_var, 2.0 * _LOG_LARGEST + 1.0 / a)
        inverse_var = params.sigma**-2.0
    return {
        "weights": (c * log_w).sum(-1),
        "means": -0.5 * (((params.mu - m0) / s0) ** 2).sum(-1),
        "variances": (-a * log_var - b * inverse_var).sum(-1),
        "likelihood": log_lik,
    }


@dataclass(frozen=True)
class Scaling:
    """How sensitive one quantity is to each factor of the posterior, by `PARTS`."""

    name: str
    weights: float
    means: float
    variances: float
    likelihood: float

    @property
    def prior(self) -> float:
        """The largest of the three priors' (NaN for a quantity that never varies)."""
        return float(np.max([self.weights, self.means, self.variances]))


def scale(fit: Fit, aligned: Params, sample: Sample, priors: Priors) -> list[Scaling]:
    """Power-scale every factor for every quantity.

    From at most `MAX_DRAWS` draws, evenly thinned.

    Parameters
    ----------
    fit : Fit
    aligned : Params
        Its draws, aligned, arrays (chains, draws, K).
    sample : Sample
    priors : Priors
        Those it was fitted with.
    """
    log_lik = fit.stat("log_lik")
    step = -(-log_lik.size // MAX_DRAWS)
    drawn, relabelled = (Params(*(a[:, ::step] for a in p)) for p in (fit.params, aligned))
    log_lik = log_lik[:, ::step]
    values = as_mapping(functionals(relabelled, log_lik, sample))
    found = power_scaling(values, log_parts(priors, drawn, log_lik))
    return [Scaling(name, **by_part) for name, by_part in found.items()]


@dataclass(frozen=True)
class Shift:
    """How far one quantity moves from the card's prior to a changed one.

    Attributes
    ----------
    name : str
    location, error : float
        Difference of mean normal scores of the pooled ranks, in posterior sds, and its Monte Carlo
        standard error. For a small shift of a normal posterior it is the shift in sds; it cannot
        exceed 1.6, which means entirely apart.
    statistic : str
        The most significant of the eleven statistics.
    diff, se, p : float
        Its difference, standard error and p-value (not corrected).
    bound : float
        The largest ``|diff| + t_.95 se`` of all eleven.
    status : "moves", "stays" or "open"
        Moves: a statistic differs by `MARGIN` or more, significant at `ALPHA` after correction for
        all tests of the page. Stays: all eleven are within the margin. Else the draws cannot tell.
    """

    name: str
    location: float
    error: float
    statistic: str
    diff: float
    se: float
    p: float
    bound: float
    status: Status

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for ``sensitivity.json``."""
        return asdict(self)


def shifts(base: Evidence, changed: Evidence, n_changes: int) -> list[Shift]:
    """Compare every quantity that varies under the card's prior with a changed one's.

    Parameters
    ----------
    base, changed : Evidence
    n_changes : int
        Comparisons of the page, for the correction of p-values.
    """
    n_tests = n_changes * len(base.functionals) * len(STATISTICS)
    found = []
    for before, after in zip(base.functionals, changed.functionals, strict=True):
        name = before.name
        ess = tuple(e.convergence.ess_bulk[name] for e in (changed, base))
        test = differences(after.values, before.values, (ess[0], ess[1]))
        if test is not None:
            found.append(_shift(name, test, n_tests))
    return found


def _shift(name: str, test: Differences, n_tests: int) -> Shift:
    worst = int(np.argmin(test.p))
    matters = (test.p * n_tests < ALPHA) & (np.abs(test.diff) >= MARGIN)
    bound = float(test.limit.max())
    return Shift(
        name,
        location=float(test.diff[0]),
        error=float(test.se[0]),
        statistic=STATISTICS[worst],
        diff=float(test.diff[worst]),
        se=float(test.se[worst]),
        p=float(test.p[worst]),
        bound=bound,
        status="moves" if matters.any() else "stays" if bound < MARGIN else "open",
    )

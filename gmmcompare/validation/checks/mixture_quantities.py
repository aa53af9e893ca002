"""Bounded functions f(parameters, data) whose distribution a correct sampler leaves as it is.

Each lies in [-1, 1], so that its mean exists and can be tested exactly (see `betting`); a raw
moment of sigma would not do. Four kinds:

- *marginal*: where a parameter lies in its prior, as a probability, by the first two Legendre
  polynomials ("location" and "spread");
- *conditional*: where it lies in its full conditional, with responsibilities in place of the
  allocations. This is what a wrong formula for a conditional moves most;
- *score*: the derivative of the log-likelihood by each parameter, squashed;
- *whole*: log-likelihood, log prior and other functions of the mixture as a whole, squashed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import betainc, gammaincc, ndtr

from gmmcompare.model.mixture_model import log_joints
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.validation.checks.scene import Quantity

if TYPE_CHECKING:
    from gmmcompare.validation.checks.scenes import MixtureScene

_PILOT_SIZE = 10_000
_PILOT_OBSERVATIONS = 400_000
_PILOT_OF_GIVEN = 2000
_TINY = 1e-300
_SAME = 1e-9
_LOADS = (
    ("nearly empty components", 0.0, 0.5),
    ("components of about one point", 0.5, 2.5),
    ("components of several points", 2.5, np.inf),
)


class _Plain(NamedTuple):
    """Functions before they are bounded, of n points."""

    probabilities: Mapping[tuple[str, str], Array]  # (n, K), uniform or nearly so
    scores: Mapping[str, Array]  # (n, K)
    whole: Mapping[str, Array]  # (n,)
    n_k: Array  # (n, K) expected counts


@lru_cache
def quantities(scene: MixtureScene) -> tuple[Quantity, ...]:
    """Return what the columns of `evaluate` are, which a scene's K and errors decide."""
    point, y = scene.one_point(np.random.default_rng(0))
    plain = _plain(Params(*(a[None] for a in point)), y[None], scene)
    some = dict.fromkeys([*plain.scores, *plain.whole], (0.0, 1.0))
    return tuple(_bounded(plain, some))


@lru_cache
def symmetric(scene: MixtureScene) -> tuple[int, ...]:
    """Return the columns of `evaluate` that stay the same when components change places.

    Found by trying: under priors that differ, means over components depend on labels as well.
    """
    params, y = scene.sample_joint(np.random.default_rng(0), 20)
    before = evaluate(params, y, scene)
    same = np.ones(before.shape[1], dtype=bool)
    for shift in range(1, scene.K):
        moved = evaluate(Params(*(np.roll(a, shift, axis=1) for a in params)), y, scene)
        same &= np.abs(moved - before).max(axis=0) < _SAME
    return tuple(np.flatnonzero(same).tolist())


def evaluate(params: Params, y: Array, scene: MixtureScene) -> Array:
    """Return every quantity of n points, shape (n, M).

    A wrong sampler may return a sigma of 1e-300; what is then infinite minus infinite counts as 0,
    so that these are bounded functions of any point.

    Parameters
    ----------
    params : Params
        Arrays of shape (n, K).
    y : ndarray, shape (n, N)
        A data set for each point.
    scene : MixtureScene
        Whose prior the marginal and conditional quantities refer to.
    """
    with np.errstate(all="ignore"):
        bounded = _bounded(_plain(params, y, scene), _units(scene))
        table = np.column_stack(list(bounded.values()))
    return np.clip(np.nan_to_num(table, nan=0.0), -1.0, 1.0)


def rank_quantities(
    params: Params, y: Array, priors: Priors, errors: Array | None = None
) -> dict[str, Array]:
    """Return what is ranked, each of shape (n,).

    Parameters
    ----------
    params : Params
        Arrays of shape (n, K).
    y : ndarray, shape (n, N)
        A data set for each point.
    priors : Priors
        For the log prior.
    errors : ndarray, shape (N,), optional
        Sds of the measurement errors.
    """
    log_lik = log_likelihoods(params, y, errors)
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


def log_likelihoods(params: Params, y: Array, errors: Array | None = None) -> Array:
    """Return the log-likelihood of each point for its own data, shape (n,).

    Parameters
    ----------
    params : Params
        Arrays of shape (n, K).
    y : ndarray, shape (n, N)
    errors : ndarray, shape (N,), optional
        Sds of the measurement errors.
    """
    joint = log_joints(params, y, errors)
    return np.asarray(np.logaddexp.reduce(joint, axis=2).sum(axis=1))


def _bounded(plain: _Plain, units: Mapping[str, tuple[float, float]]) -> dict[Quantity, Array]:
    out: dict[Quantity, Array] = {}
    loads = {load: (plain.n_k >= low) & (plain.n_k < high) for load, low, high in _LOADS}
    for (kind, name), u in plain.probabilities.items():
        x = 2.0 * u - 1.0
        for shape, f in (("location", x), ("spread", 1.5 * x**2 - 0.5)):
            _add_components(out, f, kind, name, shape)
            if kind == "share" and shape == "location":
                del out[Quantity(kind, name, shape, "all")]  # shares add up to one
            if kind == "conditional" and name != "w":
                for load, inside in loads.items():
                    out[Quantity(kind, name, shape, "all", load)] = (f * inside).mean(axis=1)
    for name, values in plain.scores.items():
        f = _squashed(values, units[name])
        _add_components(out, f, "score", name, "location")
        _add_components(out, 2.0 * f**2 - 1.0, "score", name, "spread")
    for name, values in plain.whole.items():
        f = _squashed(values, units[name])
        out[Quantity("whole", name, "location")] = f
        out[Quantity("whole", name, "spread")] = 2.0 * f**2 - 1.0
    return out


def _add_components(out: dict[Quantity, Array], f: Array, kind: str, name: str, shape: str) -> None:
    for k in range(f.shape[1]):
        out[Quantity(kind, name, shape, str(k))] = f[:, k]
    out[Quantity(kind, name, shape, "all")] = f.mean(axis=1)


def _plain(params: Params, y: Array, scene: MixtureScene) -> _Plain:
    w, mu, sigma = params
    p = scene.priors.expanded(scene.K)
    c, m0, s0, a, b = (np.asarray(getattr(p, f.name)) for f in fields(p))
    joint = log_joints(params, y, scene.errors)
    log_each = np.logaddexp.reduce(joint, axis=2)
    r = np.exp(joint - log_each[:, :, None])
    log_lik = log_each.sum(axis=1)
    n_k = r.sum(axis=1)
    x, known = _true_values(params, y, scene.errors)
    sum_y = (r * x).sum(axis=1)
    sum_sq = (r * ((x - mu[:, None, :]) ** 2 + known)).sum(axis=1)
    variance = sigma**2
    share = variance / (variance + n_k * s0**2)
    pull = (sum_y - n_k * m0) * s0**2 / (variance + n_k * s0**2)
    rest = c.sum() - c
    probabilities = {
        ("marginal", "w"): _beta_cdf(c, rest, w),
        ("marginal", "mu"): ndtr((mu - m0) / s0),
        ("marginal", "sigma"): gammaincc(a, b / variance),
        ("conditional", "w"): _beta_cdf(c + n_k, rest + scene.N - n_k, w),
        ("conditional", "mu"): ndtr((mu - m0 - pull) / (s0 * np.sqrt(share))),
        ("conditional", "sigma"): gammaincc(a + n_k / 2, (b + sum_sq / 2) / variance),
        ("share", "of the data"): n_k / scene.N,
    }
    scores = {
        "w": n_k - scene.N * w,
        "mu": (sum_y - n_k * mu) / variance * s0,
        "sigma": sum_sq / variance - n_k,
    }
    log_prior = ((c - 1) * np.log(np.maximum(w, _TINY)) - 0.5 * ((mu - m0) / s0) ** 2).sum(1)
    log_prior -= (2.0 * (a + 1.0) * np.log(sigma) + b / variance).sum(1)
    whole = {
        "log-likelihood": log_lik,
        "log prior": log_prior,
        "log posterior": log_lik + log_prior,
        "uncertainty of allocations": -(r * np.maximum(joint - log_each[:, :, None], -700.0)).sum(
            axis=(1, 2)
        ),
        "largest weight": w.max(axis=1),
        "sum of squared weights": (w**2).sum(axis=1),
        "nearly empty components": (n_k < 0.5).sum(axis=1).astype(float),
        "mean of the mixture": (w * mu).sum(axis=1) - y.mean(axis=1),
    }
    return _Plain(probabilities, scores, whole, n_k)


def _true_values(params: Params, y: Array, errors: Array | None) -> tuple[Array, Array | float]:
    """Return means and variances of the true values given their component, (n, N, K)."""
    if errors is None:
        return y[:, :, None], 0.0
    _, mu, sigma = (a[:, None, :] for a in params)
    B = 1.0 / (1.0 + (errors[:, None] / sigma) ** 2)
    return mu + B * (y[:, :, None] - mu), errors[:, None] ** 2 * B


def _beta_cdf(a: Array, b: Array, w: Array) -> Array:
    """Return the distribution function of a weight; 1/2 for that of one component, always 1."""
    return np.asarray(np.where(w.shape[1] > 1, betainc(a, b, w), 0.5))


@lru_cache
def _units(scene: MixtureScene) -> dict[str, tuple[float, float]]:
    """Return centre and scale of what is squashed, from draws of the joint distribution."""
    size = min(_PILOT_SIZE, _PILOT_OBSERVATIONS // scene.N)
    size = min(size, _PILOT_OF_GIVEN) if scene.data else size
    plain = _plain(*scene.sample_joint(np.random.default_rng(0), size), scene)
    units = {}
    for name, values in {**plain.scores, **plain.whole}.items():
        low, centre, high = np.percentile(values, [16, 50, 84])
        units[name] = (float(centre), max(0.5 * float(high - low), 1e-9))
    return units


def _squashed(values: Array, unit: tuple[float, float]) -> Array:
    centre, scale = unit
    return np.asarray(np.tanh((values - centre) / scale))

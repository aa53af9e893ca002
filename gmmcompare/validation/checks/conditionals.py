"""Are a kernel's full conditionals those of the model? For kernels that show them.

A kernel shows a conditional by a function of one of these names, either an attribute of the kernel
(a method, where it is an object) or a function of the module that defines it:

========================= ============================= ==============================
name                      arguments                     returns
========================= ============================= ==============================
``weights_conditional``   n_k, priors                   concentration of w | z, (K,)
``means_conditional``     n_k, sum_y, sigma, priors     location and sd of mu | ., (K,)
``variances_conditional`` n_k, sum_sq, priors           shape and scale of sigma^2 | .
``draw_weights``          n_k, priors, rng              w, (K,)
``draw_means``            n_k, sum_y, sigma, priors, rng mu, (K,)
``draw_sigmas``           n_k, sum_sq, priors, rng      sigma, (K,)
``draw_allocations``      w, mu, sigma, y, u            z, (N,), by one uniform each
========================= ============================= ==============================

``sum_sq`` is about mu. Two tests. *Ratios*: log p(x' | rest) - log p(x | rest) must equal
log p(x', rest) - log p(x, rest), to 1e-10, for any two points; no draws, no error rate.
*Probability integral transforms*: draws, put through the conditional's distribution function as
SciPy has it, must be uniform (Kolmogorov and Smirnov). Counts of 0, 1 and 2 and a sum of squares of
zero are among the cases, where most mistakes show.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import gammaln

from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.validation import error_rates
from gmmcompare.validation.checks.scenes import ASYMMETRIC, MixtureScene
from gmmcompare.validation.reasons import Code, Reason
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject
from gmmcompare.validation.sandbox.sandbox import TaskRunner
from gmmcompare.validation.sandbox.subject import BrokenError
from gmmcompare.validation.verdict import Check

TOLERANCE = 1e-10
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "weights_conditional": ("n_k", "priors"),
    "means_conditional": ("n_k", "sum_y", "sigma", "priors"),
    "variances_conditional": ("n_k", "sum_sq", "priors"),
    "draw_weights": ("n_k", "priors", "rng"),
    "draw_means": ("n_k", "sum_y", "sigma", "priors", "rng"),
    "draw_sigmas": ("n_k", "sum_sq", "priors", "rng"),
    "draw_allocations": ("w", "mu", "sigma", "y", "u"),
}
"""A function of one of these names with other arguments is something else, and is left alone."""
_DRAWS = 2000
_POINTS = 20
_PIT_BINS = 40


class Case(NamedTuple):
    """Statistics of the components: counts, sums, and sums of squares about mu; (K,) each."""

    n_k: Array
    sum_y: Array
    sum_sq: Array
    sigma: Array


CASES = (
    Case(*map(np.array, ([0, 1, 2], [0.0, 0.7, -1.1], [0.0, 0.0, 1.3], [0.8, 1.7, 0.6]))),
    Case(*map(np.array, ([5, 0, 1], [4.0, 0.0, 2.2], [2.9, 0.0, 0.4], [1.3, 0.5, 2.1]))),
)


class Tested(NamedTuple):
    """One conditional's tests: largest error of ratios, p values and the transforms."""

    name: str
    error: float | None
    p: Array
    pits: Array


def shown(function: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """Return the conditionals that a kernel shows, by name."""
    scope: Mapping[str, Any] = getattr(function, "__globals__", {})
    found = {name: getattr(function, name, None) or scope.get(name) for name in ARGUMENTS}
    return {name: f for name, f in found.items() if callable(f) and _has_arguments(f, name)}


def _has_arguments(f: Callable[..., Any], name: str) -> bool:
    try:
        return tuple(inspect.signature(f).parameters) == ARGUMENTS[name]
    except (TypeError, ValueError):
        return False


def cases(K: int) -> list[Case]:
    """Return the cases for K components: those of three, cut short or repeated."""
    return [Case(*(np.resize(a, K) for a in case)) for case in CASES]


def examine_conditionals(
    subject: MixtureSubject, seed: int, scene: MixtureScene = ASYMMETRIC
) -> list[Tested]:
    """Test every conditional that is shown; runs in the child process.

    Parameters
    ----------
    subject : MixtureSubject
    seed : int
    scene : MixtureScene
        Whose number of components and priors the kernel takes.

    Raises
    ------
    BrokenError
        If one raises or returns what it should not.
    """
    functions = shown(subject.function)
    rng = np.random.default_rng(seed)
    out = []
    for parameter, test in (("weights", _weights), ("means", _means), ("variances", _variances)):
        conditional = functions.get(f"{parameter}_conditional")
        draw = functions.get("draw_sigmas" if parameter == "variances" else f"draw_{parameter}")
        if conditional is None and draw is None:
            continue
        subject.beat()
        try:
            # A wrong formula may well divide by zero here; then its ratio is off by infinity.
            with np.errstate(divide="ignore", invalid="ignore"):
                out.append(_in_its_form(test, conditional, draw, scene, rng))
        except Exception as error:
            raise BrokenError(
                f"{subject.name}: its conditional of the {parameter} raised "
                f"{type(error).__name__}: {error}",
                "raised",
            ) from None
    if "draw_allocations" in functions:
        out.append(_allocations(functions["draw_allocations"], scene.K, rng))
    return out


def _in_its_form(
    test: Callable[..., Tested],
    conditional: Callable[..., Any] | None,
    draw: Callable[..., Any] | None,
    scene: MixtureScene,
    rng: np.random.Generator,
) -> Tested:
    """Test a conditional with the priors that its kernel takes, or else with vectors.

    A kernel may make vectors of plain numbers before it calls its own functions.
    """
    each = cases(scene.K)
    try:
        return test(conditional, draw, scene.priors, each, rng)
    except Exception:
        return test(conditional, draw, scene.priors.expanded(scene.K), each, rng)


def check_conditionals(
    sandbox: TaskRunner, seed: int, scene: MixtureScene = ASYMMETRIC
) -> Check | None:
    """Test the conditionals that a kernel shows; None where it shows none, or has one component.

    Parameters
    ----------
    sandbox : TaskRunner
        Where the kernel is called.
    seed : int
    scene : MixtureScene
        Whose number of components and priors the kernel takes.

    Raises
    ------
    BrokenError
        If one raises or returns what it should not.
    """
    if scene.K == 1 or not next(sandbox.run([Task(shown_names, {})])):
        return None
    started = time.perf_counter()
    tested = next(sandbox.run([Task(examine_conditionals, {"seed": seed, "scene": scene})]))
    return _check(tested, time.perf_counter() - started)


def _check(tested: list[Tested], seconds: float) -> Check:
    p_values = np.concatenate([t.p for t in tested])
    cut = error_rates.CONDITIONALS / max(p_values.size, 1)
    ratios = {t.name: t.error for t in tested if t.error is not None}
    draws = [t.name for t in tested if t.p.size]
    wrong = [reason for t in tested if (reason := _wrong(t, cut))]
    data = {
        "ratio_errors": ratios,
        "p": {t.name: t.p for t in tested},
        "pits": {
            t.name: np.histogram(t.pits, _PIT_BINS, (0.0, 1.0))[0] for t in tested if t.pits.size
        },
    }
    if wrong:
        return Check(
            "conditionals", "failed", tuple(wrong), _DRAWS, seconds, error_rates.CONDITIONALS, data
        )
    numbers = {"ratios": list(ratios), "draws": draws, "tolerance": TOLERANCE}
    reason = Reason(Code.CONDITIONALS_CORRECT, numbers)
    return Check(
        "conditionals", "passed", (reason,), _DRAWS, seconds, error_rates.CONDITIONALS, data
    )


def _wrong(t: Tested, cut: float) -> Reason | None:
    """Say what is wrong with one conditional, if anything is."""
    if t.error is not None and not t.error < TOLERANCE:
        return Reason(Code.WRONG_RATIO, {"conditional": t.name, "error": t.error})
    if (t.p < cut).any():
        return Reason(Code.WRONG_DRAWS, {"conditional": t.name})
    return None


def _weights(
    conditional: Callable[..., Any] | None,
    draw: Callable[..., Any] | None,
    priors: Priors,
    cases: Sequence[Case],
    rng: np.random.Generator,
) -> Tested:
    from scipy import stats  # half a second, which most child processes need not spend

    error, pits, p = None, [], []
    for case in cases:
        expected = np.asarray(priors.weight_concentration) + case.n_k
        if conditional is not None:
            alpha = np.asarray(conditional(case.n_k, priors), dtype=float)
            points = rng.dirichlet(np.ones(case.n_k.size) + 1.0, size=_POINTS)
            theirs = _dirichlet_log(points, alpha)
            model = np.log(points) @ case.n_k + priors.log_density(_with(points, case))
            error = _worse(error, theirs, model)
        if draw is not None:
            w = np.array([draw(case.n_k, priors, rng) for _ in range(_DRAWS)])
            for k in range(case.n_k.size):
                u = stats.beta.cdf(w[:, k], expected[k], expected.sum() - expected[k])
                pits.append(u)
                p.append(stats.kstest(u, "uniform").pvalue)
    return Tested("weights", error, np.array(p), np.array(pits))


def _means(
    conditional: Callable[..., Any] | None,
    draw: Callable[..., Any] | None,
    priors: Priors,
    cases: Sequence[Case],
    rng: np.random.Generator,
) -> Tested:
    from scipy import stats

    error, pits, p = None, [], []
    m0, s0 = np.asarray(priors.mean_loc), np.asarray(priors.mean_sd)
    for case in cases:
        precision = case.n_k / case.sigma**2 + 1.0 / s0**2
        expected = (case.sum_y / case.sigma**2 + m0 / s0**2) / precision
        points = rng.normal(0.0, 2.0, size=(_POINTS, case.n_k.size))
        if conditional is not None:
            loc, sd = conditional(case.n_k, case.sum_y, case.sigma, priors)
            theirs = stats.norm.logpdf(points, loc, sd).sum(axis=1)
            # Squares about mu from those about 0, whose own constant cancels in a ratio.
            squares = -2.0 * points * case.sum_y + case.n_k * points**2
            model = (-0.5 * squares / case.sigma**2 - 0.5 * ((points - m0) / s0) ** 2).sum(axis=1)
            error = _worse(error, theirs, model)
        if draw is not None:
            mu = np.array(
                [draw(case.n_k, case.sum_y, case.sigma, priors, rng) for _ in range(_DRAWS)]
            )
            for k in range(case.n_k.size):
                u = stats.norm.cdf(mu[:, k], expected[k], precision[k] ** -0.5)
                pits.append(u)
                p.append(stats.kstest(u, "uniform").pvalue)
    return Tested("means", error, np.array(p), np.array(pits))


def _variances(
    conditional: Callable[..., Any] | None,
    draw: Callable[..., Any] | None,
    priors: Priors,
    cases: Sequence[Case],
    rng: np.random.Generator,
) -> Tested:
    from scipy import stats

    error, pits, p = None, [], []
    a, b = np.asarray(priors.var_shape), np.asarray(priors.var_scale)
    for case in cases:
        shapes, scales = a + case.n_k / 2.0, b + case.sum_sq / 2.0
        points = rng.gamma(2.0, 1.0, size=(_POINTS, case.n_k.size)) + 0.1
        if conditional is not None:
            shape, scale = conditional(case.n_k, case.sum_sq, priors)
            theirs = stats.invgamma.logpdf(points, shape, scale=scale).sum(axis=1)
            likelihood = -0.5 * case.n_k * np.log(points) - 0.5 * case.sum_sq / points
            model = (likelihood - (a + 1.0) * np.log(points) - b / points).sum(axis=1)
            error = _worse(error, theirs, model)
        if draw is not None:
            sigma = np.array([draw(case.n_k, case.sum_sq, priors, rng) for _ in range(_DRAWS)])
            for k in range(case.n_k.size):
                u = stats.invgamma.cdf(sigma[:, k] ** 2, shapes[k], scale=scales[k])
                pits.append(u)
                p.append(stats.kstest(u, "uniform").pvalue)
    return Tested("variances", error, np.array(p), np.array(pits))


def _allocations(draw: Callable[..., Any], K: int, rng: np.random.Generator) -> Tested:
    """Test how often each component is chosen, by exact multinomial probabilities."""
    from scipy import stats

    w = np.resize([0.2, 0.5, 0.3], K)
    mu, sigma = np.resize([-1.0, 0.4, 1.5], K), np.resize([0.6, 1.7, 0.9], K)
    params = Params(w / w.sum(), mu, sigma)
    y = np.array([-2.0, 0.0, 0.9, 3.0])
    density = params.w * stats.norm.pdf(y[:, None], params.mu, params.sigma)
    expected = density / density.sum(axis=1, keepdims=True)
    z = np.array([draw(*params, y, rng.random(y.size)) for _ in range(_DRAWS)])
    p = [
        stats.chisquare(np.bincount(z[:, i], minlength=K), _DRAWS * expected[i]).pvalue
        for i in range(y.size)
    ]
    return Tested("allocations", None, np.array(p), np.empty(0))


def _worse(error: float | None, theirs: Array, model: Array) -> float:
    """Return the largest difference of log ratios so far; the first point is the base."""
    off = np.abs((theirs - theirs[0]) - (model - model[0]))
    new = float(np.where(np.isnan(off), np.inf, off).max())
    return new if error is None else max(error, new)


def _dirichlet_log(points: Array, alpha: Array) -> Array:
    constant = gammaln(alpha.sum()) - gammaln(alpha).sum()
    return np.asarray(constant + np.log(points) @ (alpha - 1.0))


def _with(points: Array, case: Case) -> Params:
    shape = points.shape
    return Params(points, np.zeros(shape), np.broadcast_to(case.sigma, shape))


def shown_names(subject: MixtureSubject) -> list[str]:
    """Return the names of the conditionals that are shown; runs in the child process."""
    return list(shown(subject.function))

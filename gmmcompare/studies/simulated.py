"""Two simulated engines whose difference is known, for `studies` of the verdict.

The target is an exact posterior of 12 observations, of which a pool of independent draws is made
once; an engine is simulated by drawing from the pool. So two engines have the same target to the
last bit, or differ by just what a case says, and a comparison costs milliseconds. All else is the
procedure as a user meets it: checks, tests, and repetitions with fresh seeds and four times the
draws.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtr, ndtri

from gmmcompare.comparison.agreement import PairVerdict, judge_draws
from gmmcompare.comparison.checks import Checked, check
from gmmcompare.comparison.equality import differences
from gmmcompare.comparison.evidence import Evidence
from gmmcompare.comparison.functionals import Functional, functionals
from gmmcompare.comparison.labels import Reference, align
from gmmcompare.engines.base import Problem, built_in_engine, no_progress
from gmmcompare.engines.check import copied_chains
from gmmcompare.fitting.fit import build_fit
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.compiled import score
from gmmcompare.model.exact import exact_posterior
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

PROBLEM = Problem(
    Sample.of([-1.3, -0.9, -1.05, -1.6, -0.7, -1.2, 0.8, 1.4, 1.0, 1.3, 0.5, 1.1]),
    2,
    Priors(weight_concentration=5.0, mean_loc=0.0, mean_sd=2.0, var_shape=3.0, var_scale=0.5),
)
IDENTIFIED = Problem(
    Sample.of([-1.3, -0.9, -1.05, 0.8, 1.4, 1.0, 0.2, 1.9, -0.4, 2.3, -2.0, 0.9]),
    2,
    Priors(
        weight_concentration=2.0, mean_loc=[-1.0, 1.5], mean_sd=0.7, var_shape=3.0, var_scale=2.0
    ),
)
"""Priors that say which component is which."""
CHAINS = 4
CHANGED = "mu[1]"
"""The one function in which engines differ: the hardest case, as a real fault shows in several."""
COUPLED = "mu[2]"
"""The function that depends on it in the simplest case of dependence."""
ANTITHETIC = -0.6
"""Lag-one autocorrelation of antithetic chains' scores."""
FEW = ("log_lik", "mean", "w[1]", CHANGED, "log_prior")
"""Functions that are compared where engines are equal and chains of a kind, lest it take days."""
SHORT = 2500
"""Draws of each of a's chains there."""
REPEAT_PROBABILITY = 2.0 / 3.0
"""Of an autocorrelated chain: it has (1 - p) / (1 + p) = 1/5 as many effective draws as draws."""
MODE_DEPTH = 20.0
MODE_DISTANCE = 3.0
"""A chain in a minor mode: so much lower in log-likelihood, and so many sds away otherwise."""

Truth = Literal["equal", "different", "faulty"]
Labels = Literal["own", "reversed", "swapped"]
_FAULTY_LABELS = {"reversed": "in the wrong order", "swapped": "swapped at random"}


@dataclass(frozen=True)
class Case:
    """Two engines, a and b, and what is the matter with b.

    Attributes
    ----------
    truth : str
        "equal" targets; "different" targets; or a "faulty" run of b.
    ess : int
        Effective draws of each engine in the first round; for the Gibbs sampler, draws.
    sticky : bool
        Whether the chains are autocorrelated.
    shift, ratio : float
        By which b's values of one function are moved, in posterior sds, and stretched.
    stuck : int
        How many of b's four chains are in a minor mode.
    near : float
        Noise by which b's chains differ that are all one.
    copied : bool
        Whether b's second chain is a copy of its first.
    gibbs : bool
        Whether b is our Gibbs sampler on the same data.
    slow, rho : float
        Share of the variance of one function's scores that is an AR(1) process in b, and that
        process's autocorrelation; ``ess`` is the number of draws, then.
    antithetic : bool
        Whether scores of one function have autocorrelation `ANTITHETIC` in b.
    chains : int
        Of b; if there are more than a's, each has two thirds as many draws.
    identified : bool
        Whether priors differ by component.
    labels : "own", "reversed" or "swapped"
        Whether b's components are in the wrong order, always or in a random half of the draws.
    dependence : float
        Correlation of the scores of two functions in b that are independent in a.
    tail : float
        By which b's values of one function are stretched beyond their 95 % quantile.
    elsewhere : bool
        Whether b's draws cannot be repeated with fresh seeds.
    """

    truth: Truth
    ess: int
    sticky: bool = False
    shift: float = 0.0
    ratio: float = 1.0
    stuck: int = 0
    near: float = 0.0
    copied: bool = False
    gibbs: bool = False
    slow: float = 0.0
    rho: float = 0.0
    antithetic: bool = False
    chains: int = CHAINS
    identified: bool = False
    labels: Labels = "own"
    dependence: float = 0.0
    tail: float = 1.0
    elsewhere: bool = False

    @property
    def what(self) -> str:
        """Say what is compared with independent draws of the target, or with its like."""
        return self._draws + (", made elsewhere" if self.elsewhere else "")

    @property
    def _draws(self) -> str:
        if self.gibbs:
            return "Gibbs sampler"
        if self.copied:
            return "one chain is a copy of another"
        if self.near:
            return f"chains are one chain but for noise of {self.near:g}"
        if self.stuck:
            which = "every chain" if self.stuck == CHAINS else f"{self.stuck} of {CHAINS} chains"
            return f"{which} in a minor mode"
        if self.shift:
            return f"shifted by {self.shift:g} sd"
        if self.ratio != 1.0:
            return f"sd {self.ratio:g} times as large"
        if self.dependence:
            return f"correlation {self.dependence:g} of two parameters"
        if self.tail != 1.0:
            return f"upper 5 % stretched {self.tail:g} times"
        if self.labels != "own":
            return f"components {_FAULTY_LABELS[self.labels]}, priors that differ"
        return self._sound

    @property
    def _sound(self) -> str:
        if self.slow:
            return f"AR({self.rho:g}) with {100 * self.slow:g} % of the variance"
        if self.antithetic:
            return "antithetic chains"
        if self.chains != CHAINS:
            return f"{self.chains} shorter chains"
        what = "autocorrelated chains" if self.sticky else "independent draws"
        return f"{what}, priors that differ" if self.identified else what

    @property
    def is_cheap(self) -> bool:
        """Whether few functions are compared."""
        kind = self.slow or self.antithetic or self.chains != CHAINS or self.identified
        return self.truth == "equal" and bool(kind)

    @property
    def label(self) -> str:
        """Say what is compared, and with how many draws."""
        return f"{self.what}, {'draws' if self.gibbs else 'ESS'} {self.ess:,}"

    @property
    def key(self) -> str:
        """Name that no other case has; part of every seed."""
        return f"{self.what}, {'draws' if self.gibbs else 'ESS'} {self.ess}"


EQUAL = (
    *(
        Case("equal", ess, sticky=sticky)
        for sticky in (False, True)
        for ess in (200, 1000, 4000, 10_000)
    ),
    *(
        Case("equal", 40_000, slow=slow, rho=rho, elsewhere=elsewhere)
        for slow, rho in ((0.05, 0.9995), (0.1, 0.9998), (0.2, 0.9999))
        for elsewhere in (False, True)
    ),
    *(
        Case("equal", 4000, antithetic=antithetic, chains=n, identified=identified, elsewhere=e)
        for antithetic, n, identified in (
            (True, CHAINS, False),
            (False, 5, False),
            (False, 12, False),
            (False, CHAINS, True),
        )
        for e in (False, True)
    ),
)
DIFFERENT = (
    *(
        Case("different", ess, shift=shift, ratio=ratio)
        for shift, ratio in ((0.05, 1), (0.1, 1), (0.2, 1), (0, 1.05), (0, 1.1), (0, 1.2))
        for ess in (200, 1000, 4000, 10_000)
    ),
    *(Case("different", ess, dependence=0.3) for ess in (4000, 10_000)),
    *(Case("different", ess, tail=1.5) for ess in (10_000, 40_000)),
    *(
        Case("different", 10_000, identified=True, labels=labels)
        for labels in ("reversed", "swapped")
    ),
)
FAULTY = tuple(
    Case("faulty", 4000, stuck=stuck, copied=stuck == 0 and not near, near=near)
    for stuck, near in ((1, 0.0), (CHAINS, 0.0), (0, 0.0), (0, 1e-6))
)
_PARAMETERS = ("w[", "mu[", "log_sigma[")
CASES = (*EQUAL, Case("equal", 20_000, gibbs=True), *DIFFERENT, *FAULTY)


@dataclass(frozen=True)
class Pool:
    """Independent exact draws: values of every function, P(some n_k <= 1) and parameters.

    ``table`` has shape (draws, functions + 1 + 3 K), columns in that order.
    """

    problem: Problem
    names: tuple[str, ...]
    label_free: tuple[bool, ...]
    table: Array

    @classmethod
    def draw(cls, n: int, seed: int, problem: Problem = PROBLEM) -> Pool:
        """Draw from the exact posterior and evaluate every function.

        Parameters
        ----------
        n : int
            Number of draws.
        seed : int
        problem : Problem
            With at most 16 observations.
        """
        sample, priors = problem.sample, problem.priors
        posterior = exact_posterior(sample.y, problem.K, priors)
        draws = posterior.sample(n, np.random.default_rng(seed))
        best = Params(*(a[score(sample, draws).log_lik.argmax()] for a in draws))
        reference = Reference.of(best, sample, priors)
        return cls._of(align(draws, reference).params, problem)

    @classmethod
    def _of(cls, draws: Params, problem: Problem) -> Pool:
        scores = score(problem.sample, draws)
        chain = Params(*(a[None] for a in draws))
        found = functionals(chain, scores.log_lik[None], problem.sample, problem.priors)
        columns = [*(f.values[0] for f in found), scores.prob_small]
        return cls(
            problem,
            tuple(f.name for f in found),
            tuple(f.label_free for f in found),
            np.column_stack([*columns, *draws]),
        )

    @cached_property
    def reversed(self) -> Pool:
        """The same draws with their components in the opposite order."""
        K = self.problem.K
        parts = np.split(self.table[:, len(self.names) + 1 :], 3, axis=-1)
        return self._of(Params(*(a[:, ::-1] for a in parts)), self.problem) if K > 1 else self

    @cached_property
    def changed(self) -> int:
        """Column of the function in which engines differ."""
        return self.names.index(CHANGED)

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Rows in ascending order of that function."""
        return np.argsort(self.table[:, self.changed])

    @cached_property
    def scale(self) -> tuple[Array, Array]:
        """Mean and sd of every function."""
        values = self.table[:, : len(self.names)]
        return values.mean(axis=0), values.std(axis=0)


def simulate(pool: Pool, case: Case, name: str, rng: np.random.Generator, times: int) -> Evidence:
    """Simulate a run of one engine.

    Parameters
    ----------
    pool : Pool
        What is drawn from.
    case : Case
    name : str
        "a" is sound; "b" has what is the matter in this case.
    rng : numpy.random.Generator
    times : int
        Multiple of the case's number of draws.
    """
    effective_share = (1 - REPEAT_PROBABILITY) / (1 + REPEAT_PROBABILITY) if case.sticky else 1.0
    n = round(times * case.ess / effective_share / CHAINS)
    if name == "b" and case.gibbs:
        return _run_gibbs(pool, n, rng)
    if name == "a" and case.slow:
        n = min(n, times * SHORT)
    values = _values(pool, case, name, n, rng)
    F = len(pool.names)
    used = [f for f in range(F) if not case.is_cheap or pool.names[f] in FEW]
    by_function = np.ascontiguousarray(np.moveaxis(values[..., used], -1, 0))
    return Evidence(
        name,
        tuple(
            Functional(pool.names[f], v, pool.label_free[f], pool.names[f].startswith(_PARAMETERS))
            for f, v in zip(used, by_function, strict=True)
        ),
        log_lik=values[..., pool.names.index("log_lik")],
        prob_small=values[..., F],
        divergences=None,
        copies=tuple(copied_chains(Params(*np.split(values[..., F + 1 :], 3, axis=-1)))),
    )


def _values(pool: Pool, case: Case, name: str, n: int, rng: np.random.Generator) -> Array:
    """Return an engine's draws, (chains, n, columns)."""
    if name == "a":
        rows = rng.integers(len(pool.table), size=(CHAINS, n))
        values = pool.table[_repeating(rows, rng) if case.sticky else rows]
        if case.dependence:
            values[..., pool.names.index(COUPLED)] = _coupled(pool, rows, 0.0, rng)
        return values
    rows = _rows(pool, case, n if case.chains == CHAINS else 2 * n // 3, rng)
    values = pool.table[rows]
    if case.dependence:
        values[..., pool.names.index(COUPLED)] = _coupled(pool, rows, case.dependence, rng)
    if case.labels != "own":
        wrong = rng.random(rows.shape) < (1.0 if case.labels == "reversed" else 0.5)
        values[wrong] = pool.reversed.table[rows[wrong]]
    _spoil(values, pool, case)
    return values


def _rows(pool: Pool, case: Case, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return which rows of the pool b's chains consist of, (chains, n); each row is as likely."""
    shape = (case.chains, n)
    if case.slow or case.antithetic:
        scores = (
            np.sqrt(1.0 - case.slow) * rng.standard_normal(shape)
            + np.sqrt(case.slow) * gaussian_chains(case.rho, shape, rng)
            if case.slow
            else gaussian_chains(ANTITHETIC, shape, rng)
        )
        return pool.order[(ndtr(scores) * len(pool.order)).astype(np.int64)]
    rows = rng.integers(len(pool.table), size=shape)
    return _repeating(rows, rng) if case.sticky else rows


def _coupled(
    pool: Pool, rows: NDArray[np.int64], correlation: float, rng: np.random.Generator
) -> Array:
    """Return values of one function whose scores have this correlation with the changed one's."""
    share = np.empty(len(pool.order))
    share[pool.order] = (np.arange(len(pool.order)) + 0.5) / len(pool.order)
    scores = correlation * ndtri(share[rows]) + np.sqrt(1.0 - correlation**2) * rng.standard_normal(
        rows.shape
    )
    ordered = np.sort(pool.table[:, pool.names.index(COUPLED)])
    return np.asarray(ordered[(ndtr(scores) * len(ordered)).astype(np.int64)])


def gaussian_chains(rho: float, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Return stationary chains of variance 1.

    Parameters
    ----------
    rho : float
        Lag-one autocorrelation.
    shape : tuple of int
        Numbers of chains and draws.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (chains, draws)
    """
    noise = rng.standard_normal(shape)
    noise[:, 1:] *= np.sqrt(1.0 - rho**2)
    return np.asarray(lfilter([1.0], [1.0, -rho], noise, axis=1))


def _repeating(rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Let each draw be the one before it with a fixed probability."""
    fresh = rng.random(rows.shape) >= REPEAT_PROBABILITY
    fresh[:, 0] = True
    last_fresh = np.maximum.accumulate(np.where(fresh, np.arange(rows.shape[1]), 0), axis=1)
    return np.take_along_axis(rows, last_fresh, axis=1)


def _spoil(values: Array, pool: Pool, case: Case) -> None:
    """Change b's draws, (chains, draws, columns), in place."""
    sd = pool.scale[1]
    c, F = pool.changed, len(sd)
    values[..., c] = _moved(values[..., c], pool, case)
    if case.stuck:
        log_lik = pool.names.index("log_lik")
        lower = values[: case.stuck, :, log_lik] - MODE_DEPTH
        values[: case.stuck, :, :F] += MODE_DISTANCE * sd
        values[: case.stuck, :, log_lik] = lower
    if case.copied:
        values[1] = values[0]
    if case.near:
        noise = np.random.default_rng(0).standard_normal(values.shape)
        values[:] = values[:1] * (1.0 + case.near * noise)


def _moved(values: Array, pool: Pool, case: Case) -> Array:
    """Shift and stretch the values of the one function in which engines differ."""
    if case.tail != 1.0:
        start = float(np.quantile(pool.table[:, pool.changed], 0.95))
        return np.where(values > start, start + case.tail * (values - start), values)
    if case.shift == 0.0 and case.ratio == 1.0:
        return values  # to the last bit
    mean, sd = (float(x[pool.changed]) for x in pool.scale)
    return mean + case.ratio * (values - mean) + case.shift * sd


def _run_gibbs(pool: Pool, draws: int, rng: np.random.Generator) -> Evidence:
    engine = built_in_engine("gibbs", GibbsSettings(chains=CHAINS, warmup=500, draws=draws))
    seed = int(rng.integers(2**31))
    fit = build_fit(engine, pool.problem, seed, engine.run(pool.problem, seed, no_progress))
    best = pool.table[pool.table[:, pool.names.index("log_lik")].argmax(), len(pool.names) + 1 :]
    reference = Reference.of(Params(*np.split(best, 3)), pool.problem.sample)
    return Evidence.of(fit, align(fit.params, reference).params, pool.problem.sample)


def run_case(pool: Pool, case: Case, repetition: int, seed: int) -> PairVerdict:
    """Compare two simulated engines once, repetitions with fresh seeds included.

    Parameters
    ----------
    pool : Pool
        What is drawn from.
    case : Case
    repetition : int
        Number of the comparison, from 0.
    seed : int
        Of the study.
    """

    def run(name: str, this_round: int) -> Evidence:
        own = "a" if name == "a" else "b"  # the Gibbs sampler goes by its own name
        entropy = [seed, zlib.crc32(case.key.encode()), repetition, this_round, ord(own)]
        return simulate(pool, case, own, np.random.default_rng(entropy), 4 ** (this_round - 1))

    first = [run("a", 1), run("b", 1)]

    def refit(name: str, this_round: int) -> Checked | None:
        if case.elsewhere and name == "b":
            return None
        return check(run(name, this_round), first)

    return judge_draws(check(first[0], first), check(first[1], first), refit)


def true_size(pool: Pool, case: Case) -> float:
    """Return the largest true difference of a statistic, in units of its sd, without noise."""
    values = pool.table[None, :, pool.changed]
    found = differences(values, _moved(values, pool, case), (float(values.size),) * 2)
    return 0.0 if found is None else float(np.abs(found.diff).max())

"""The small problems on which a sampler is tried: few observations, proper priors, nothing 0 or 1.

With thousands of observations a dropped prior term or a shape off by one half moves the posterior
by less than Monte Carlo noise. With twelve, components are often empty or hold one observation, and
the prior counts as much as the data.

Which problems a sampler gets follows from what it takes (see `domain`): `planned` gives a list of
places, each with the scenes that may take it, best first. The places are the same for every
sampler, so that one written for two components is tried as hard as any other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np

from gmmcompare.engines.base import Problem
from gmmcompare.engines.starts import start_point
from gmmcompare.model.exact import ExactPosterior, exact_posterior
from gmmcompare.model.mixture_model import MixtureModel
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.validation.checks.mixture_quantities import (
    by_mean,
    evaluate,
    quantities,
    rank_quantities,
    symmetric,
)
from gmmcompare.validation.checks.scene import Quantity, Scene
from gmmcompare.validation.sandbox.known_errors import known_errors
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject
from gmmcompare.validation.sandbox.subject import Subject

FIELDS = tuple(f.name for f in fields(Priors))


@dataclass(frozen=True)
class MixtureScene(Scene):
    """One prior, one number of components and observations, and how many sweeps are made.

    Attributes
    ----------
    name : str
    priors : Priors
    K, N, sweeps : int
    share : float
        The part of a plan's replicates that it gets; at least 1 for main scenes.
    least : int
        Replicates that it gets however few its share is.
    data : tuple of float
        Data that are given, tied or rounded as the model's own never are; parameters are then
        draws of their exact posterior. Empty where data are drawn from the model.
    measured : bool
        Whether observations have errors, those of `known_errors`: for samplers that take them.
    """

    name: str
    priors: Priors
    K: int = 3
    N: int = 12
    sweeps: int = 5
    share: float = 1.0
    least: int = 0
    data: tuple[float, ...] = ()
    measured: bool = False

    @property
    def errors(self) -> Array | None:
        """Sds of the measurement errors, (N,), or None."""
        return known_errors(self.N, self.priors) if self.measured else None

    @property
    def vector(self) -> bool:
        """Whether any field of the prior is a vector."""
        return any(np.ndim(getattr(self.priors, name)) for name in FIELDS)

    @property
    def crowded(self) -> bool:
        """Whether most components hold one observation or none."""
        return self.N < self.K

    @property
    def about(self) -> str:
        """Sizes and unit, for messages."""
        centre, spread = (np.asarray(p).mean() for p in (self.priors.mean_loc, self.priors.mean_sd))
        return f"K = {self.K}, N = {self.N}, means near {centre:g} +- {spread:g}"

    def given_as(self, vectors: Collection[str]) -> MixtureScene:
        """Return the same scene with these fields of the prior of shape (K,), the rest as it is."""
        full = self.priors.expanded(self.K)
        return replace(
            self, priors=replace(self.priors, **{name: getattr(full, name) for name in vectors})
        )

    def sample_joint(self, rng: np.random.Generator, n: int) -> tuple[Params, Array]:
        """Draw parameters and data: (n, K) each, and (n, N).

        Parameters from the prior and data given them; or, where data are given, these and
        parameters from their posterior.
        """
        if self.data:
            params = _exact(self).sample(n, rng)
            return params, np.tile(np.array(self.data), (n, 1))
        model = MixtureModel(self.K, self.N, self.priors)
        theta = model.draw_prior(n, rng)
        y = model.draw_data(theta, rng)
        if self.errors is not None:
            y = y + self.errors * rng.standard_normal(y.shape)
        return Params(**theta), y

    @property
    def here(self) -> bool:
        """Whether data are given: each process would have to sum their posterior first."""
        return bool(self.data)

    @property
    def exchangeable(self) -> bool:
        """Whether all components have one prior."""
        return self.priors.exchangeable

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What the columns of `evaluate` are; see `mixture_quantities`."""
        return quantities(self)

    @property
    def symmetric(self) -> tuple[int, ...]:
        """The columns of `evaluate` that do not depend on labels."""
        return symmetric(self)

    @property
    def parameters(self) -> dict[int, str]:
        """Columns of `evaluate` that tell where a parameter of a component lies in its prior."""
        return {
            i: f"{q.name} {int(q.component) + 1}"
            for i, q in enumerate(quantities(self))
            if q.kind == "marginal" and q.shape == "location" and q.component.isdigit()
        }

    def evaluate(self, points: Params, y: Array) -> Array:
        """Return every quantity of n points, shape (n, M)."""
        return evaluate(points, y, self)

    def sweep(self, subject: Subject, at: Params, y: Array, rng: np.random.Generator) -> Params:
        """Make one checked sweep under the prior; arrays (K,).

        Parameters
        ----------
        subject, at, y, rng
            As for `Scene.sweep`.
        """
        assert isinstance(subject, MixtureSubject)
        return subject.sweep(at, y, self.priors, rng)

    def run(
        self,
        subject: Subject,
        y: Array,
        draws: int,
        warmup: int,
        chains: int,
        rng: np.random.Generator,
    ) -> Params:
        """Make one whole run, or chains of a kernel from dispersed starts.

        Parameters
        ----------
        subject, y, draws, warmup, chains, rng
            As for `Scene.run`.
        """
        assert isinstance(subject, MixtureSubject)
        if subject.kind == "sampler":
            return subject.run(y, self.K, self.priors, draws, warmup, chains, rng)
        problem = Problem(Sample.of(y, errors=self.errors), self.K, self.priors)
        starts = (start_point("overdispersed", problem, rng) for _ in range(chains))
        return subject.chains(starts, y, self.priors, rng, draws, warmup)

    def aligned(self, points: Params) -> Params:
        """Put the components of each point (..., K) in ascending order of their means."""
        return by_mean(points)

    def is_ordered(self, run: Params) -> bool:
        """Whether means are in ascending order in every draw."""
        return bool((np.diff(run.mu, axis=-1) >= 0).all())

    @property
    def rank_names(self) -> tuple[str, ...]:
        """What `rank_quantities` returns."""
        one = Params(*(np.ones((1, self.K)) / self.K for _ in Params._fields))
        return tuple(rank_quantities(one, np.zeros((1, 1)), Priors()))

    def rank_quantities(self, points: Params, y: Array) -> dict[str, Array]:
        """Return every parameter and functions of the whole mixture, each of shape (n,)."""
        return rank_quantities(points, y, self.priors, self.errors)

    def to_dict(self) -> dict[str, Any]:
        """Return sizes and prior."""
        of_errors = {} if self.errors is None else {"errors": self.errors.tolist()}
        return {"K": self.K, "N": self.N, "priors": self.priors.to_dict(), **of_errors}

    def one_point(self, rng: np.random.Generator) -> tuple[Params, Array]:
        """Return a likely point and data of it, for a first call: (K,) each, and (N,).

        Costs nothing where data are given, as the exact posterior is not asked.
        """
        if not self.data:
            params, y = self.sample_joint(rng, 1)
            return Params(*(a[0] for a in params)), y[0]
        order = rng.permutation(self.K)
        even = np.ones(self.K)
        mu = (_centres(self.K) + np.mean(_ROUNDED[: self.N // self.K]))[order]
        return Params(even / self.K, mu, 0.1 * even), np.array(self.data)


@lru_cache(maxsize=8)
def _exact(scene: MixtureScene) -> ExactPosterior[Any]:
    posterior: ExactPosterior[Any] = exact_posterior(
        scene.data, scene.K, scene.priors, scene.errors
    )
    return posterior


CALIBRATION = MixtureScene("calibration", Priors(2.0, 0.5, 1.5, 3.0, 1.0))
# Small concentrations leave components empty and tie the weights closely to the allocations: there
# a weight that is one sweep old shows with a tenth of the replicates.
ASYMMETRIC = MixtureScene(
    "asymmetric",
    Priors([0.2, 0.3, 0.5], [-0.5, 0.5, 1.5], [2.0, 3.0, 4.0], [3.0, 4.0, 2.5], [1.0, 0.5, 2.0]),
)
SPARSE = MixtureScene("sparse", Priors(0.3, 0.5, 3.0, 3.0, 1.0))
DENSE = MixtureScene("dense", Priors(4.0, -1.0, 3.0, 2.5, 2.0))
"""For samplers that take no concentration below 1."""

# What is wrong only for another number of components or observations, or in another unit, is mostly
# gross (a constant 3, a loop that ends early, a floor under sigma, squares that cancel in single
# precision), so an eighth of the replicates will do. With five components for three observations
# most hold one or none, and a weak prior of the variance lets the one count.
TWO = replace(CALIBRATION, name="two-component", K=2, N=40, share=1 / 8)
_WEAK = replace(CALIBRATION.priors, weight_concentration=1.0, var_shape=0.7, var_scale=0.3)
FIVE = replace(CALIBRATION, name="five-component", priors=_WEAK, K=5, N=3, share=1 / 8)
_SMALL, _LARGE = (CALIBRATION.priors.transformed(*unit) for unit in ((-5e3, 1e3), (-20.0, 1e-3)))
SMALL_UNIT = replace(CALIBRATION, name="small-unit", priors=_SMALL, share=1 / 8)
LARGE_UNIT = replace(CALIBRATION, name="large-unit", priors=_LARGE, share=1 / 8)
# Counts that one byte does not hold, and observations that a loop may leave out.
MANY = replace(CALIBRATION, name="many-observations", N=1000, sweeps=1, share=1 / 32, least=125)

# The default prior, but for means as far apart as its data: so far that hardly a draw in 10^10 has
# an empty component, whose sigma would be beyond any floating-point number under such a prior.
NEARLY_IMPROPER = Priors(1.0, 0.0, 2000.0, 1e-4, 1e-4)
_GAP = 1000.0
_ROUNDED = (0.0, 0.1, 0.1, 0.0, 0.0, 0.2, 0.1, 0.1, 0.2, 0.0, 0.3, 0.1)
_MOST_TIED = 5
"""Components of the tied scene; of more, each would hold too few of the 16 observations."""

SCENES = (CALIBRATION, ASYMMETRIC, SPARSE)
"""The main scenes of three components, in which known faults have their signatures."""


def tied(K: int) -> MixtureScene:
    """Return rounded data with ties in K clusters, under a prior that is nearly improper."""
    each = max(12 // K, 3)
    y = tuple(float(c + v) for c in _centres(K) for v in _ROUNDED[:each])
    return MixtureScene("tied", NEARLY_IMPROPER, K, len(y), share=1 / 8, data=y)


def _centres(K: int) -> Array:
    return np.asarray(_GAP * (np.arange(K) - (K - 1) / 2))


def asymmetric(K: int, unequal: Collection[str] = FIELDS) -> MixtureScene:
    """Return the asymmetric scene for K components, in which these fields are vectors."""
    at = np.linspace(0.0, 2.0, K)
    priors = replace(
        SPARSE.priors,
        **{f: np.interp(at, np.arange(3), getattr(ASYMMETRIC.priors, f)) for f in unequal},
    )
    if set(unequal) == set(FIELDS):
        return _for(K, replace(ASYMMETRIC, priors=priors))
    return _for(K, MixtureScene("part-asymmetric", priors))


def planned(
    K: int, N: int, sizes: Collection[int], unequal: Collection[str], permutes: bool = False
) -> list[Sequence[MixtureScene]]:
    """Return the places of a plan, and for each the scenes that may take it, best first.

    Parameters
    ----------
    K, N : int
        Numbers of components and observations of the main scenes.
    sizes : collection of int
        Numbers of components that a sampler takes.
    unequal : collection of str
        Fields of the prior that may differ between components.
    permutes : bool
        Whether labels are permuted at random: then both main scenes have one prior for all
        components, and that in which priors differ comes beside them.
    """
    here = (CALIBRATION, SPARSE, DENSE, SMALL_UNIT, LARGE_UNIT)
    calibration, sparse, dense, small, large = (_for(K, scene, N) for scene in here)
    differing = [replace(asymmetric(K, unequal), N=N)] if unequal and K > 1 else []
    more = _for(K, replace(TWO, name="more-observations"))
    few = [_for(K, replace(FIVE, name="few-observations"), n) for n in (max(K - 1, 1), K, K + 2, N)]
    beside = [[replace(scene, share=1 / 2) for scene in differing]] if permutes else []
    return [
        [calibration],
        [*([] if permutes else differing), sparse, dense],
        *beside,
        [*([TWO] if 2 in sizes else []), more, replace(more, N=25)],
        [*([FIVE] if 5 in sizes else []), *few],
        [small],
        [large],
        [tied(K)] if K <= _MOST_TIED else [],
        [_for(K, MANY)],
    ]


def _for(K: int, scene: MixtureScene, N: int | None = None) -> MixtureScene:
    """Return a scene for K components, under a name of its own where that changes it."""
    name = scene.name if K == CALIBRATION.K else f"{scene.name}-{K}"
    return replace(scene, name=name, K=K, N=N or scene.N)

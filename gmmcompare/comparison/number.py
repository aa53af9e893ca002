"""The posterior of the number of components by several roads, and whether they agree.

Draws of changing size have no parameters to compare: everything here is label-free. The verdict on
samplers is that of `judged`, on indicators of K and of the number of occupied components K+, on the
density at points, the distribution function and co-clustering.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gmmcompare.comparison.agreement import PairVerdict
from gmmcompare.comparison.density import BAND_DRAWS
from gmmcompare.comparison.diagnostics import convergence
from gmmcompare.comparison.evidence import MAX_DRAWS, Evidence
from gmmcompare.comparison.functionals import Functional, of_the_mixture
from gmmcompare.comparison.judged import Judged
from gmmcompare.comparison.names import SCALAR
from gmmcompare.engines.components import ComponentsDraws
from gmmcompare.model import mixture
from gmmcompare.model.params import Array, Params
from gmmcompare.model.prior_on_k import PriorOnK
from gmmcompare.model.sample import Sample

if TYPE_CHECKING:
    import pandas as pd

RARE = 0.01
"""Numbers with less probability, in every sampler, are not compared one by one."""
SAMPLERS = ("telescoping", "reversible_jump")
OTHER_PRIOR = "dirichlet_process"
"""Has another prior on partitions: shown beside, and not compared."""


@dataclass(frozen=True, eq=False)
class Road:
    """What one road says of the number of components.

    Attributes
    ----------
    name : str
        ``exact``, ``telescoping``, ``reversible_jump``, ``bridge`` or ``dirichlet_process``.
    prob, se : ndarray or None, shape (max_K,)
        P(K | y) for K = 1..max_K and its Monte Carlo error; NaN where it was not worked out.
    prob_occupied, occupied_se : ndarray or None, shape (max_K + 1,)
        P(K+ | y) for K+ = 0..max_K, likewise; None where the road does not know.
    draws : ComponentsDraws or None
    ess, rhat : float
        Of K, or of K+ in a Dirichlet process; NaN for roads without draws.
    seconds : float
    notes : tuple of str
    """

    name: str
    prob: Array | None
    se: Array | None
    prob_occupied: Array | None = None
    occupied_se: Array | None = None
    draws: ComponentsDraws | None = None
    ess: float = float("nan")
    rhat: float = float("nan")
    seconds: float = float("nan")
    notes: tuple[str, ...] = ()

    @classmethod
    def of_draws(cls, name: str, draws: ComponentsDraws, max_K: int) -> Road:
        """Summarise a sampler's draws.

        Parameters
        ----------
        name : str
        draws : ComponentsDraws
        max_K : int
        """
        prob, se, ess, rhat = _distribution(draws.K, max_K)
        occupied, occupied_se, ess_plus, rhat_plus = _distribution(draws.n_occupied, max_K)
        seconds = draws.seconds.sample
        if name == OTHER_PRIOR:  # infinitely many components, of which K+ hold an observation
            return cls(name, None, None, occupied, occupied_se, draws, ess_plus, rhat_plus, seconds)
        return cls(name, prob[1:], se[1:], occupied, occupied_se, draws, ess, rhat, seconds)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, lists and strings of ``components.json``."""
        listed = {
            key: None if value is None else [None if np.isnan(v) else float(v) for v in value]
            for key, value in (
                ("prob", self.prob),
                ("prob_se", self.se),
                ("prob_occupied", self.prob_occupied),
                ("prob_occupied_se", self.occupied_se),
            )
        }
        return {
            **listed,
            "ess": _or_none(self.ess),
            "rhat": _or_none(self.rhat),
            "seconds": _or_none(self.seconds),
            "acceptance": dict(self.draws.acceptance) if self.draws else {},
            "notes": list(self.notes),
        }


@dataclass(frozen=True, eq=False)
class Components(Judged):
    """The posterior of the number of components by several roads.

    Attributes
    ----------
    roads : mapping of str to Road
        By name.
    pairs : tuple of PairVerdict
        Samplers of the same posterior, two by two.
    on_k : PriorOnK
    sample : Sample
    grid : ndarray, shape (G,)
        Where densities are evaluated.
    densities : mapping of str to (mean, low, high)
        Of samplers: posterior mean and pointwise 90 % band of the density, each (G,).
    """

    roads: Mapping[str, Road]
    pairs: tuple[PairVerdict, ...]
    on_k: PriorOnK
    sample: Sample
    grid: Array
    densities: Mapping[str, tuple[Array, Array, Array]] = field(default_factory=dict)

    @property
    def names_of_engines(self) -> tuple[str, ...]:
        """Names of the samplers that are judged."""
        return tuple(name for name in self.roads if name in SAMPLERS)

    @property
    def best(self) -> Road:
        """The road to believe first: the exact one, else a sampler, else another."""
        order = ("exact", *SAMPLERS, "bridge", OTHER_PRIOR)
        return next(self.roads[name] for name in order if name in self.roads)

    @property
    def total_variation(self) -> dict[tuple[str, str], float]:
        """Distance between P(K | y) of any two roads that have it.

        Where one of them did not work out all K, both are conditioned on those that it did.
        """
        known = [road for road in self.roads.values() if road.prob is not None]
        return {(a.name, b.name): _distance(a.prob, b.prob) for a, b in combinations(known, 2)}

    def table(self) -> pd.DataFrame:
        """Return P(K | y) and P(K+ | y) by road.

        Returns
        -------
        pandas.DataFrame
            Index the number; columns (road, "K" | "K+").
        """
        import pandas as pd

        columns: dict[tuple[str, str], Any] = {}
        number = np.arange(1, self.on_k.max_K + 1)
        columns["prior", "K"] = pd.Series(self.on_k.prob, number)
        for name, road in self.roads.items():
            if road.prob is not None:
                columns[name, "K"] = pd.Series(road.prob, number)
            if road.prob_occupied is not None:
                columns[name, "K+"] = pd.Series(road.prob_occupied[1:], number)
        return pd.DataFrame(columns)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``components.json`` but for its head."""
        return {
            "verdict": self.verdict,
            "sentence": self.sentence(),
            "answer": self.answer(),
            "prior_on_K": {"name": self.on_k.name, "prob": self.on_k.prob.tolist()},
            "roads": {name: road.to_dict() for name, road in self.roads.items()},
            "pairs": [pair.to_dict() for pair in self.pairs],
            "total_variation": [
                {"a": a, "b": b, "distance": d} for (a, b), d in self.total_variation.items()
            ],
        }

    def answer(self) -> str:
        """Say in one sentence how many components the data support under this prior."""
        road = self.best
        prob = (
            road.prob_occupied[1:]
            if road.prob is None and road.prob_occupied is not None
            else road.prob
        )
        assert prob is not None
        known = np.nan_to_num(prob)
        best = int(known.argmax()) + 1
        low, high = _shortest(known)
        what = "occupied components" if road.prob is None else "components"
        span = f"{low}" if low == high else f"{low} to {high}"
        return (
            f"Under the prior {self.on_k.name} on 1 to {self.on_k.max_K}, {best} {what} are most "
            f"probable (probability {known[best - 1]:.2f}); {span} have "
            f"{known[low - 1 : high].sum():.2f} together."
        )

    def _repr_html_(self) -> str:
        """Show answer and table in a notebook."""
        html: str = self.table().round(4).to_html()
        return f"<p>{self.answer()} {self.sentence()}</p>{html}"


def evidence_of(draws: Mapping[str, ComponentsDraws], sample: Sample) -> dict[str, Evidence]:
    """Prepare samplers of K for judging; the same functions of all.

    Parameters
    ----------
    draws : mapping of str to ComponentsDraws
        By sampler.
    sample : Sample
    """
    numbers = {name: {"K": d.K, "K+": d.n_occupied} for name, d in draws.items()}
    compared = [
        (what, value)
        for what in ("K", "K+")
        for value in range(1, 1 + max(int(n[what].max()) for n in numbers.values()))
        if max(_at(n[what], value) for n in numbers.values()) > RARE
        and min(_at(n[what], value) for n in numbers.values()) < 1.0 - RARE
    ]
    out = {}
    for name, d in draws.items():
        step = -(-d.K.size // MAX_DRAWS)
        filled = filled_up(d.params, step)
        found = [
            Functional(
                f"{SCALAR}[P({what} = {value})]",
                (numbers[name][what] == value)[:, ::step] * 1.0,
                True,
            )
            for what, value in compared
        ]
        free = of_the_mixture(filled, sample)
        found += [Functional(key, values, True) for key, values in free.items()]
        out[name] = Evidence(name, tuple(found), None, None, None)
    return out


def filled_up(params: Params, step: int = 1) -> Params:
    """Return every so many draws with components of weight 0 where they are padded with NaN."""
    some = Params(*(a[:, ::step] for a in params))
    return Params(
        np.nan_to_num(some.w, nan=0.0),
        np.nan_to_num(some.mu, nan=0.0),
        np.where(np.isnan(some.sigma), 1.0, some.sigma),
    )


def density_of(draws: ComponentsDraws, grid: Array) -> tuple[Array, Array, Array]:
    """Return posterior mean and 90 % band of the density of the data, each of the grid's shape."""
    chains, length, max_K = draws.params.w.shape
    filled = filled_up(draws.params, max(1, chains * length // BAND_DRAWS))
    flat = Params(*(a.reshape(-1, max_K) for a in filled))
    with np.errstate(divide="ignore"):  # a component that is not there has weight 0
        curves = np.exp(mixture.log_density(grid, flat))
    low, high = np.quantile(curves, [0.05, 0.95], axis=0)
    return curves.mean(axis=0), low, high


def _at(numbers: NDArray[np.int64], value: int) -> float:
    return float(np.mean(numbers == value))


def _distribution(numbers: NDArray[np.int64], max_K: int) -> tuple[Array, Array, float, float]:
    """Return P(0..max_K), Monte Carlo errors, and ESS and R-hat of a number's draws."""
    indicators = {f"{j}": (numbers == j).astype(float) for j in range(max_K + 1)}
    found = convergence({**indicators, "number": numbers.astype(float)})
    prob = np.array([values.mean() for values in indicators.values()])
    se = np.nan_to_num(np.array([found.mcse_mean[name] for name in indicators]))
    return prob, se, found.ess_bulk["number"], found.rhat["number"]


def _distance(a: Array | None, b: Array | None) -> float:
    assert a is not None
    assert b is not None
    known = ~(np.isnan(a) | np.isnan(b))
    return float(0.5 * np.abs(a[known] / a[known].sum() - b[known] / b[known].sum()).sum())


def _shortest(prob: Array, share: float = 0.9) -> tuple[int, int]:
    """Return the shortest run of numbers that has this share of the probability."""
    below = np.concatenate([[0.0], np.cumsum(prob)])
    runs = [
        (high - low, -(below[high + 1] - below[low]), low, high)
        for low in range(prob.size)
        for high in range(low, prob.size)
        if below[high + 1] - below[low] >= share * below[-1] - 1e-12
    ]
    _, _, low, high = min(runs)
    return low + 1, high + 1


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)

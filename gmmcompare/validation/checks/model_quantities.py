"""Bounded functions f(parameters, data) of any model, from what the model can draw and evaluate.

Each lies in [-1, 1]; see `mixture_quantities` for why. A pilot of draws of the joint distribution
gives each function its unit:

- *marginal*: where a scalar lies in its prior, found by simulation ("location" and "spread");
- *data*: the same, after what a linear function of the data tells of it is taken away. Without a
  function of the data a kernel that ignores them passes;
- *score*: the derivative of the log joint density by each scalar, where there is one;
- *product*: of the places of two scalars, or of a scalar's place and a summary of the data;
- *whole*: log-likelihood, log prior and log joint density, where there are these.

Whatever these functions are, a correct kernel leaves their means as they are: a poor pilot costs
power, and never a false alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.points import flat, mapped, size_of
from gmmcompare.model.protocol import Model, density, scalar_names
from gmmcompare.validation.checks.scene import Quantity

_PILOT = 8000
_PILOT_OF_SLOW = 2000
_MOST_SCALARS = 30
_MOST_OF_ONE = 8
"""Of a parameter with more scalars, evenly spaced ones and two summaries are looked at."""
_MOST_PAIRED = 7
_MOST_FEATURES = 40
_RIDGE = 1e-3
_STEP = 1e-4
"""Of finite differences, in standard deviations of the prior."""


class ModelQuantities:
    """The functions of one model, with their units.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        rng = np.random.default_rng(0)
        slow = getattr(model, "one_by_one", False)
        theta = model.draw_prior(_PILOT_OF_SLOW if slow else _PILOT, rng)
        y = model.draw_data(theta, rng)
        self.differentiable = not slow or density(model, "score") is not None
        self._columns = _chosen(model.parameters)
        self._weights = [
            (np.array(c), np.full(len(c), 1.0 / len(c))) for c in self._columns.values()
        ]
        table = self._table(theta)
        self._sorted = np.sort(table, axis=0)
        self._scale = np.maximum(table.std(axis=0), 1e-12)
        continuous = [
            np.issubdtype(np.asarray(theta[name]).dtype, np.floating) for name in model.parameters
        ]
        sizes = [int(np.prod(shape, dtype=int)) for shape in model.parameters.values()]
        self._smooth = np.repeat(continuous, sizes)
        data = flat(y).astype(float)
        self._features = _Features(data)
        places = self._places(table)
        design = self._features.design(data)
        gram = design.T @ design / len(design)
        gram += _RIDGE * np.diag(np.diag(gram) + 1e-12)
        self._slopes = np.linalg.solve(gram, design.T @ places / len(design))
        residual = places - design @ self._slopes
        self._residual_sd = np.maximum(residual.std(axis=0), 1e-6)
        self._units: dict[str, tuple[float, float]] = {}
        with np.errstate(all="ignore"):
            for name, values in {**self._scores(theta, y), **self.densities(theta, y)}.items():
                low, centre, high = np.nanpercentile(values, [16, 50, 84])
                self._units[name] = (float(centre), max(0.5 * float(high - low), 1e-9))
        two: Any = mapped(lambda a: a[:2], dict(theta))
        self.names = tuple(self._bounded(two, mapped(lambda a: a[:2], y)))

    @property
    def parameters(self) -> dict[int, str]:
        """Columns that tell where a scalar lies in its prior, and its name."""
        return {
            i: q.name
            for i, q in enumerate(self.names)
            if q.kind == "marginal" and q.shape == "location"
        }

    def evaluate(self, theta: Mapping[str, Array], y: Any) -> Array:
        """Return every function of n points, (n, M); what is not a number counts as 0."""
        with np.errstate(all="ignore"):
            table = np.column_stack(list(self._bounded(theta, y).values()))
        return np.clip(np.nan_to_num(table, nan=0.0), -1.0, 1.0)

    def scalars(self, theta: Mapping[str, Array]) -> dict[str, Array]:
        """Return the scalars that are looked at, each of shape (n,)."""
        return dict(zip(self._columns, self._table(theta).T, strict=True))

    def _table(self, theta: Mapping[str, Array]) -> Array:
        every = flat({name: theta[name] for name in self.model.parameters}).astype(float)
        return np.column_stack([every[:, columns] @ weights for columns, weights in self._weights])

    def _places(self, table: Array) -> Array:
        """Return 2 F - 1 of each scalar's prior distribution F, ties at their middle."""
        n = len(self._sorted)
        out = np.empty_like(table)
        for j, (column, known) in enumerate(zip(table.T, self._sorted.T, strict=True)):
            below, upto = (np.searchsorted(known, column, side) for side in ("left", "right"))
            out[:, j] = (below + upto) / n - 1.0
        return out

    def _bounded(self, theta: Mapping[str, Array], y: Any) -> dict[Quantity, Array]:
        places = self._places(self._table(theta))
        data = flat(y).astype(float)
        out: dict[Quantity, Array] = {}
        names = list(self._columns)
        for name, x in zip(names, places.T, strict=True):
            out[Quantity("marginal", name, "location")] = x
            out[Quantity("marginal", name, "spread")] = 1.5 * x**2 - 0.5
        residual = (places - self._features.design(data) @ self._slopes) / self._residual_sd
        for name, x in zip(names, np.tanh(0.7 * residual.T), strict=True):
            out[Quantity("data", name, "location")] = x
            out[Quantity("data", name, "spread")] = 2.0 * x**2 - 1.0
        for name, values in self._scores(theta, y).items():
            f = self._squashed(name, values)
            of = name.removeprefix("score ")
            out[Quantity("score", of, "location")] = f
            out[Quantity("score", of, "spread")] = 2.0 * f**2 - 1.0
        for name, values in self.densities(theta, y).items():
            f = self._squashed(name, values)
            out[Quantity("whole", name, "location")] = f
            out[Quantity("whole", name, "spread")] = 2.0 * f**2 - 1.0
        paired = range(min(len(names), _MOST_PAIRED))
        for i, j in combinations(paired, 2):
            out[Quantity("product", f"{names[i]} x {names[j]}", "location")] = (
                places[:, i] * places[:, j]
            )
        for what, summary in self._features.summaries(data).items():
            for i in paired:
                key = Quantity("product", f"{names[i]} x {what} of the data", "location")
                out[key] = places[:, i] * summary
        return out

    def _squashed(self, name: str, values: Array) -> Array:
        centre, scale = self._units.get(name, (0.0, 1.0))
        return np.asarray(np.tanh((values - centre) / scale))

    def densities(self, theta: Mapping[str, Array], y: Any) -> dict[str, Array]:
        """Return log-likelihood, log prior and their sum, as far as the model has them, (n,)."""
        log_prior, log_likelihood = (
            density(self.model, name) for name in ("log_prior", "log_likelihood")
        )
        found: dict[str, Array] = {}
        if log_likelihood is not None:
            found["log-likelihood"] = np.asarray(log_likelihood(theta, y), dtype=float)
        if log_prior is not None:
            found["log prior"] = np.asarray(log_prior(theta), dtype=float)
        if len(found) == 2:
            found["log posterior"] = found["log-likelihood"] + found["log prior"]
        return found

    def _scores(self, theta: Mapping[str, Array], y: Any) -> dict[str, Array]:
        """Return the derivatives by the scalars that are looked at and continuous, each (n,)."""
        if not self.differentiable:
            return {}
        singles = {n: c[0] for n, c in self._columns.items() if len(c) == 1 and self._smooth[c[0]]}
        score = density(self.model, "score")
        if score is not None:
            found = score(theta, y)
            n = size_of(theta)
            shapes = self.model.parameters
            zeros = {name: np.zeros((n, *shape)) for name, shape in shapes.items()}
            every = flat({name: found.get(name, zeros[name]) for name in shapes})
            return {f"score {name}": every[:, c] for name, c in singles.items()}
        if not {"log_prior", "log_likelihood"} <= {
            name
            for name in ("log_prior", "log_likelihood")
            if density(self.model, name) is not None
        }:
            return {}
        return {f"score {name}": self._slope(theta, y, c) for name, c in singles.items()}

    def _slope(self, theta: Mapping[str, Array], y: Any, column: int) -> Array:
        """Return a central difference of the log joint density by one scalar."""
        position = list(self._columns.values()).index([column])
        step = _STEP * self._scale[position]
        up, down = (
            self.densities(_moved(theta, self.model.parameters, column, s), y)["log posterior"]
            for s in (step, -step)
        )
        # Where neither side has a density, as beyond a bound, there is no slope.
        known = np.isfinite(up) | np.isfinite(down)
        change: Array = np.subtract(up, down, out=np.zeros(np.shape(up)), where=known)
        return np.asarray(change / (2.0 * step))


def _moved(
    theta: Mapping[str, Array], parameters: Mapping[str, tuple[int, ...]], column: int, step: float
) -> dict[str, Array]:
    """Return points with one scalar moved by a step."""
    out = {name: np.array(theta[name], copy=True) for name in parameters}
    for name, shape in parameters.items():
        size = int(np.prod(shape, dtype=int))
        if column < size:
            out[name].reshape(len(out[name]), -1)[:, column] += step
            break
        column -= size
    return out


def _chosen(parameters: Mapping[str, tuple[int, ...]]) -> dict[str, list[int]]:
    """Return what is looked at: names, and the columns of the whole table whose mean each is."""
    out: dict[str, list[int]] = {}
    names, at = scalar_names(parameters), 0
    room = max(2, _MOST_SCALARS // max(len(parameters), 1))
    for name, shape in parameters.items():
        size = int(np.prod(shape, dtype=int))
        columns = list(range(at, at + size))
        at += size
        most = min(max(_MOST_OF_ONE, room), size)
        if size > most:
            out[f"mean of {name}"] = columns
            out[f"mean of the first half of {name}"] = columns[: size // 2]
            columns = [columns[i] for i in np.linspace(0, size - 1, most - 2).astype(int)]
        out.update({names[c]: [c] for c in columns})
    return out


class _Features:
    """Bounded summaries of a data set, for regressions of parameters on data."""

    def __init__(self, data: Array) -> None:
        low, centre, high = np.nanpercentile(data, [16, 50, 84], axis=0)
        self._centre, self._scale = centre, np.maximum(0.5 * (high - low), 1e-9)
        plain = {"mean": data.mean(axis=1), "spread": data.std(axis=1)}
        self._units = {
            name: (float(np.median(v)), max(float(np.subtract(*np.percentile(v, [84, 16]))), 1e-9))
            for name, v in plain.items()
        }
        size = data.shape[1]
        self._kept = np.unique(np.linspace(0, size - 1, min(size, _MOST_FEATURES)).astype(int))

    def summaries(self, data: Array) -> dict[str, Array]:
        """Return a data set's mean and spread, squashed; each (n,)."""
        plain = {"mean": data.mean(axis=1), "spread": data.std(axis=1)}
        return {
            name: np.tanh(2.0 * (v - self._units[name][0]) / self._units[name][1])
            for name, v in plain.items()
            if name == "mean" or data.shape[1] > 1
        }

    def design(self, data: Array) -> Array:
        """Return the columns that parameters are regressed on, (n, features)."""
        x = np.tanh(
            (data[:, self._kept] - self._centre[self._kept]) / (2 * self._scale[self._kept])
        )
        summaries = list(self.summaries(data).values())
        return np.column_stack([np.ones(len(data)), x, x**2, *summaries])

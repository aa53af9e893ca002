"""A PyMC model as a `Model`: its draws and densities, compiled from its own graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.points import Data, Points, size_of
from gmmcompare.runtime.errors import InputError

if TYPE_CHECKING:
    import pymc as pm

_SUM = 1e-8
"""By how much the sum of probabilities may differ from one; rounding is below 1e-15 each."""


class PyMCModel:
    """A PyMC model whose prior is proper; see also `protocol.Model.from_pymc`.

    Each function is compiled when it is first called, in some tenths of a second.

    Parameters
    ----------
    model : pymc.Model
    name : str
        How to call it in messages.
    symmetries : sequence of sequence of str
        Groups of variables whose first axes may be permuted together.

    Attributes
    ----------
    parameters : dict of str to tuple of int
        The model's free random variables by the user's names, in their own space: a standard
        deviation is positive, a Cholesky factor packed as PyMC packs it. Deterministics are none.

    Raises
    ------
    InputError
        If its prior is improper, nothing is observed, it has potentials, or one of its
        distributions cannot be drawn from or has no density.
    """

    def __init__(
        self, model: pm.Model, name: str = "", symmetries: Sequence[Sequence[str]] = ()
    ) -> None:
        from gmmcompare.model.pymc_refusals import checked_shapes, simplexes

        self.name = name or model.name or "model"
        self._model = model
        self.symmetries = tuple(tuple(group) for group in symmetries)
        self._shapes = checked_shapes(model, self.name)
        self._free = [rv.name for rv in model.free_RVs]
        self.parameters: dict[str, tuple[int, ...]] = {k: self._shapes[k] for k in self._free}
        self._simplexes = simplexes(model)
        self._seen = [rv.name for rv in model.observed_RVs]
        self._types = {rv.name: np.dtype(rv.dtype) for rv in model.basic_RVs}

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points from the prior.

        Parameters
        ----------
        n : int
        rng : numpy.random.Generator
            The same state gives the same draws; each call moves it on.

        Returns
        -------
        dict of str to ndarray, shape (n, *shape) each
        """
        return dict(zip(self._free, self._drawn_prior(n, [], rng), strict=True))

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Data:
        """Draw the observed variables for each of n points.

        Parameters
        ----------
        theta : mapping of str to ndarray, shape (n, *shape) each
        rng : numpy.random.Generator

        Returns
        -------
        ndarray, shape (n, *data shape), or dict of such
            An array if the model has one observed variable, otherwise arrays by name.
        """
        arrays, _ = self._arrays({k: theta[k] for k in self._free})
        found = self._drawn_data(size_of(theta), arrays, rng)
        return found[0] if len(found) == 1 else dict(zip(self._seen, found, strict=True))

    def log_prior(self, theta: Points) -> Array:
        """Return the log prior density of n points in the parameters' own space.

        Parameters
        ----------
        theta : mapping of str to ndarray, shape (n, *shape) each

        Returns
        -------
        ndarray, shape (n,)
            -inf outside the support.
        """
        arrays, allowed = self._arrays({k: theta[k] for k in self._free})
        return _or_minus_infinity(self._prior_density(arrays)[0], allowed)

    def log_likelihood(self, theta: Points, y: Data) -> Array:
        """Return the log-likelihood of n points, each for its own data set.

        Parameters
        ----------
        theta : mapping of str to ndarray, shape (n, *shape) each
        y : ndarray, shape (n, *data shape), or mapping of such
            As `draw_data` gives it.

        Returns
        -------
        ndarray, shape (n,)
            -inf where the parameters or the data are outside the support.
        """
        arrays, allowed = self._arrays(self._all(theta, y))
        return _or_minus_infinity(self._data_density(arrays)[0], allowed)

    @property
    def score(self) -> Callable[[Points, Data], Points] | None:
        """The gradient of the log joint density by the parameters that are continuous.

        ``score(theta, y) -> {name: (n, *shape)}``; 0 where it is not defined, as outside the
        support. None where PyTensor has no gradient.
        """
        return self._score if self._gradient is not None else None

    @property
    def pymc_model(self) -> pm.Model:
        """The PyMC model itself."""
        return self._model

    @property
    def observed(self) -> Data:
        """The data that the model was given: an array, or arrays by name."""
        from gmmcompare.model.pymc_graphs import observed_values

        found = observed_values(self._model)
        return next(iter(found.values())) if len(found) == 1 else found

    def _score(self, theta: Points, y: Data) -> Points:
        arrays, _ = self._arrays(self._all(theta, y))
        assert self._gradient is not None
        found = self._gradient(arrays)
        return {
            k: np.where(np.isfinite(g), g, 0.0) for k, g in zip(self._smooth, found, strict=True)
        }

    @property
    def _smooth(self) -> list[str]:
        return [k for k in self._free if self._types[k].kind == "f"]

    def _all(self, theta: Points, y: Data) -> dict[str, Any]:
        data = y if isinstance(y, Mapping) else {self._seen[0]: y}
        if set(data) != set(self._seen):
            raise InputError(
                f"{self.name}: data must be a mapping of {', '.join(self._seen)}, "
                f"found {', '.join(data)}"
            )
        return {k: theta[k] for k in self._free} | {k: data[k] for k in self._seen}

    def _arrays(self, values: Mapping[str, Any]) -> tuple[list[Array], Array]:
        """Return values as the graph wants them, and which points have them in the right space.

        The graph does not see that what should be an integer is none, and PyMC does not check
        whether probabilities sum to one.
        """
        n = size_of(values)
        allowed, arrays = np.ones(n, dtype=bool), []
        for name, value in values.items():
            array = np.asarray(value)
            if array.shape != (shape := (n, *self._shapes[name])):
                raise InputError(f"{self.name}: {name} has shape {array.shape}, expected {shape}")
            with np.errstate(invalid="ignore"):
                wanted = array.astype(self._types[name])
            if wanted.dtype.kind != "f" and array.dtype != wanted.dtype:
                allowed &= (wanted == array).reshape(n, -1).all(axis=1)
            if name in self._simplexes:
                allowed &= (abs(wanted.sum(axis=-1) - 1.0) < _SUM).reshape(n, -1).all(axis=1)
            arrays.append(wanted)
        return arrays, allowed

    # Compiled on first use. Left out of pickles.

    @cached_property
    def _drawn_prior(self) -> Any:
        from gmmcompare.model.pymc_graphs import compiled_draws

        return compiled_draws(self._model.free_RVs)

    @cached_property
    def _drawn_data(self) -> Any:
        from gmmcompare.model.pymc_graphs import compiled_draws

        return compiled_draws(self._model.observed_RVs, self._model.free_RVs)

    @cached_property
    def _densities(self) -> tuple[list[Any], list[Any]]:
        from gmmcompare.model.pymc_graphs import log_densities

        terms, values = log_densities([*self._model.free_RVs, *self._model.observed_RVs])
        return terms, list(values.values())

    @cached_property
    def _prior_density(self) -> Any:
        from gmmcompare.model.pymc_graphs import compiled_for_points

        terms, values = self._densities
        k = len(self._free)
        return compiled_for_points([sum(terms[:k])], values[:k])

    @cached_property
    def _data_density(self) -> Any:
        from gmmcompare.model.pymc_graphs import compiled_for_points

        terms, values = self._densities
        return compiled_for_points([sum(terms[len(self._free) :])], values)

    @cached_property
    def _gradient(self) -> Any:
        from gmmcompare.model.pymc_graphs import compiled_for_points, gradients

        terms, values = self._densities
        smooth = [v for k, v in zip(self._free, values, strict=False) if k in self._smooth]
        found = gradients(sum(terms), smooth) if smooth else None
        if found is None:
            return None
        return compiled_for_points(found, values, [self.parameters[k] for k in self._smooth])

    def __reduce__(self) -> tuple[Any, ...]:
        import cloudpickle  # a model may hold functions of the user's own file

        return _restored, (cloudpickle.dumps(self._model), self.name, self.symmetries)


def _restored(model: bytes, name: str, symmetries: Sequence[Sequence[str]]) -> PyMCModel:
    import cloudpickle

    return PyMCModel(cloudpickle.loads(model), name, symmetries)


def _or_minus_infinity(found: Array, allowed: Array) -> Array:
    return np.where(allowed & ~np.isnan(found), found, -np.inf)

"""What a Bayesian model must tell for samplers of it to be tested.

A model draws its parameters from a proper prior and data given them, and knows, if possible, the
log densities of both. That is all: `validation` works with any such object, of which the mixture
(`mixture_model`) and a PyMC model (`from_pymc`) are instances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.points import Data, Points
from gmmcompare.runtime.errors import InputError


class Model(Protocol):
    """A Bayesian model whose prior is proper; a class of your own may inherit from it or not.

    Attributes
    ----------
    parameters : mapping of str to tuple of int
        Names and shapes; a scalar has shape ``()``. What a kernel keeps in its state beside the
        parameters proper, such as allocations, is one of them and may be discrete.
    symmetries : sequence of sequence of str, optional
        Groups of names whose first axes may be permuted together, as the components of a mixture.
    log_prior : callable, optional
        ``log_prior(theta) -> (n,)``, normalised or not, -inf outside the support.
    log_likelihood : callable, optional
        ``log_likelihood(theta, y) -> (n,)``, of each point for its own data set. Without the two
        densities much less is seen.
    score : callable, optional
        ``score(theta, y) -> {name: (n, *shape)}``, the gradient of the log joint density by the
        parameters that are continuous. By default it is found by finite differences.
    """

    parameters: Mapping[str, tuple[int, ...]]
    symmetries: Sequence[Sequence[str]] = ()
    log_prior: Callable[[Points], Array] | None = None
    log_likelihood: Callable[[Points, Data], Array] | None = None
    score: Callable[[Points, Data], Points] | None = None

    def draw_prior(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n points from the prior: ``{name: (n, *shape)}``."""
        ...

    def draw_data(self, theta: Points, rng: np.random.Generator) -> Data:
        """Draw one data set for each of n points: ``(n, *data shape)``, or a mapping of such."""
        ...

    @staticmethod
    def from_pymc(model: Any, symmetries: Sequence[Sequence[str]] = ()) -> Any:
        """Return a PyMC model as a `Model`; see `gmmcompare.model.from_pymc.PyMCModel`.

        Parameters
        ----------
        model : pymc.Model
        symmetries : sequence of sequence of str
            Groups of variables whose first axes may be permuted together, as ``[("mu", "w")]``.

        Raises
        ------
        InputError
            If its prior is improper, nothing is observed, or it has potentials.
        """
        from gmmcompare.model.from_pymc import PyMCModel

        return PyMCModel(model, symmetries=symmetries)

    @staticmethod
    def from_functions(
        parameters: Mapping[str, tuple[int, ...]],
        draw_prior: Callable[[np.random.Generator], Mapping[str, Any]],
        draw_data: Callable[[Points, np.random.Generator], Any],
        log_prior: Callable[[Points], float] | None = None,
        log_likelihood: Callable[[Points, Data], float] | None = None,
        symmetries: Sequence[Sequence[str]] = (),
    ) -> Any:
        """Return the model of functions that are written for one point; they are called in a loop.

        Parameters
        ----------
        parameters : mapping of str to tuple of int
            Names and shapes.
        draw_prior : callable
            ``draw_prior(rng) -> {name: value}``.
        draw_data : callable
            ``draw_data(theta, rng) -> y``, an array or a dict of arrays.
        log_prior : callable, optional
            ``log_prior(theta) -> float``.
        log_likelihood : callable, optional
            ``log_likelihood(theta, y) -> float``.
        symmetries : sequence of sequence of str
        """
        from gmmcompare.model.from_functions import FunctionModel

        return FunctionModel(
            parameters, draw_prior, draw_data, log_prior, log_likelihood, symmetries
        )


def density(model: Model, name: str) -> Callable[..., Any] | None:
    """Return one of the optional functions of a model: log_prior, log_likelihood or score."""
    return getattr(model, name, None)


def symmetries(model: Model) -> tuple[tuple[str, ...], ...]:
    """Return the groups of names whose first axes may be permuted together."""
    return tuple(tuple(group) for group in getattr(model, "symmetries", ()))


def scalar_names(parameters: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
    """Return what the columns of `points.flat` are: ``mu[0]``, ``Sigma[1,2]``, ``tau``."""
    return tuple(
        f"{name}[{','.join(map(str, index))}]" if shape else name
        for name, shape in parameters.items()
        for index in np.ndindex(*shape)
    )


def check_model(model: Any, name: str, seed: int = 0) -> Model:
    """Return a model after a few draws of it, all of which have the shapes that they should have.

    Parameters
    ----------
    model : object
    name : str
        How to call it in messages.
    seed : int

    Raises
    ------
    InputError
        If something is missing, raises, or has another shape than it should have.
    """
    missing = [a for a in ("parameters", "draw_prior", "draw_data") if not hasattr(model, a)]
    if missing:
        raise InputError(
            f"{name}: is {type(model).__name__} without {' and '.join(missing)}; a model has "
            "parameters, draw_prior(n, rng) and draw_data(theta, rng), or is a pm.Model"
        )
    parameters = _checked_shapes(model.parameters, name)
    rng, n = np.random.default_rng(seed), 3
    theta = _called(name, "draw_prior", model.draw_prior, n, rng)
    if not isinstance(theta, Mapping) or set(theta) != set(parameters):
        found = ", ".join(theta) if isinstance(theta, Mapping) else type(theta).__name__
        raise InputError(
            f"{name}: draw_prior returns {found}; it must give {', '.join(parameters)}"
        )
    for key, shape in parameters.items():
        _check_shape(name, f"draw_prior's {key}", theta[key], (n, *shape))
    y = _called(name, "draw_data", model.draw_data, theta, rng)
    for part in y.values() if isinstance(y, Mapping) else [y]:
        if np.ndim(part) == 0 or len(part) != n:
            raise InputError(
                f"{name}: draw_data returns shape {np.shape(part)} for {n} points; its first axis "
                "must be that of the points, one data set for each"
            )
    if (log_prior := density(model, "log_prior")) is not None:
        found = _called(name, "log_prior", log_prior, theta)
        _check_shape(name, "log_prior", found, (n,), finite=True)
    if (log_likelihood := density(model, "log_likelihood")) is not None:
        found = _called(name, "log_likelihood", log_likelihood, theta, y)
        _check_shape(name, "log_likelihood", found, (n,), finite=True)
    for group in symmetries(model):
        axes = {parameters[key][0] if parameters.get(key) else None for key in group}
        if len(axes) != 1 or None in axes:
            raise InputError(
                f"{name}: symmetries name ({', '.join(group)}), which are not parameters with one "
                "first axis in common"
            )
    return model  # type: ignore[no-any-return]


def _checked_shapes(parameters: Any, name: str) -> dict[str, tuple[int, ...]]:
    try:
        shapes = {str(key): tuple(int(d) for d in shape) for key, shape in parameters.items()}
    except (AttributeError, TypeError, ValueError):
        shapes = {}
    if not shapes:
        raise InputError(
            f"{name}: parameters must map names to shapes, such as {{'mu': (3,), 'tau': ()}}"
        )
    return shapes


def _check_shape(
    name: str, what: str, found: Any, shape: tuple[int, ...], finite: bool = False
) -> None:
    array = np.asarray(found)
    if array.shape != shape:
        raise InputError(
            f"{name}: {what} has shape {array.shape}, expected {shape}, one for each of "
            f"{shape[0]} points (Model.from_functions takes functions of one point)"
        )
    if np.isnan(array.astype(float)).any() or (finite and not np.isfinite(array).all()):
        raise InputError(f"{name}: {what} is not finite at a draw from the prior: {array}")


def _called(name: str, what: str, function: Callable[..., Any], *args: Any) -> Any:
    from gmmcompare.runtime.code import said

    try:
        return function(*args)
    except (KeyboardInterrupt, InputError):
        raise
    except BaseException as error:
        raise InputError(f"{name}: {what} raised {said(error)}") from None

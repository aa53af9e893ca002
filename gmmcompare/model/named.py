"""Models by name: ``FILE.py:NAME`` is a model, a PyMC model, or a function that returns one."""

from __future__ import annotations

from typing import Any

from gmmcompare.model.protocol import Model, check_model
from gmmcompare.runtime.code import find, said
from gmmcompare.runtime.errors import InputError


def load_model(spec: str) -> Model:
    """Find a model and check it.

    Parameters
    ----------
    spec : str
        ``FILE.py:NAME`` or ``package.module:NAME``: an object as `Model` describes it, a
        ``pm.Model``, or a function without arguments that returns one of these.

    Raises
    ------
    InputError
        If there is no such thing, or it is no model whose samplers could be tested.
    """
    return as_model(find(spec, "model"), spec)


def as_model(found: Any, name: str) -> Model:
    """Return what was found as a `Model`, checked.

    Parameters
    ----------
    found : Model, pymc.Model or callable
    name : str
        How to call it in messages.

    Raises
    ------
    InputError
        If it is no model whose samplers could be tested.
    """
    if callable(found) and not hasattr(found, "draw_prior") and not _is_pymc(found):
        try:
            found = found()
        except (KeyboardInterrupt, InputError):
            raise
        except BaseException as error:
            raise InputError(f"{name}: called without arguments, it raised {said(error)}") from None
    if isinstance(found, type):
        found = found()
    if _is_pymc(found):
        from gmmcompare.model.from_pymc import PyMCModel

        found = PyMCModel(found, name)
    return check_model(found, name)


def _is_pymc(found: Any) -> bool:
    """Whether it is a PyMC model; asked without importing PyMC."""
    return any(
        c.__module__.startswith("pymc.") and c.__name__ == "Model" for c in type(found).__mro__
    )

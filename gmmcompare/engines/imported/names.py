"""Which arrays are w, mu and sigma: as the user says, by their own names, or by usual ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from gmmcompare.model.params import Array, Params
from gmmcompare.runtime.errors import InputError, did_you_mean

Rename = Mapping[str, str]
"""From w, mu or sigma to an expression of the file's names, such as ``sqrt(sigma2)``."""

_USUAL = {
    "w": dict.fromkeys(("weights", "weight", "theta", "pi", "p", "lambda", "phi", "omega"), "{}"),
    "mu": dict.fromkeys(("means", "mean", "loc", "locs", "locations", "m"), "{}"),
    "sigma": {
        **dict.fromkeys(("sd", "sds", "std", "stds", "sigmas", "scale", "scales", "s"), "{}"),
        **dict.fromkeys(("sigma2", "sigma_2", "sigmasq", "sigma_sq", "sigma_squared"), "sqrt({})"),
        **dict.fromkeys(("var", "vars", "variance", "variances", "s2", "v"), "sqrt({})"),
        **dict.fromkeys(("tau", "precision", "precisions", "prec", "lambdas"), "1/sqrt({})"),
    },
}
_MEANING = {"sqrt({})": "a variance", "1/sqrt({})": "a precision"}


def parsed_rename(text: str) -> Rename:
    """Read ``w=theta,sigma=sqrt(sigma2)``.

    Raises
    ------
    InputError
        If a part has no ``=``, or renames something other than w, mu and sigma.
    """
    parts = re.split(r",(?![^(]*\))", text)
    renamed = {}
    for part in parts:
        name, equals, expression = (piece.strip() for piece in part.partition("="))
        if not equals or not expression or name not in Params._fields:
            raise InputError(
                f"--rename {text}: write OURS=THEIRS, as in w=theta,sigma=sqrt(sigma2); ours are "
                "w, mu and sigma (a standard deviation)"
            )
        renamed[name] = expression
    return renamed


def chosen(arrays: Mapping[str, Array], rename: Rename, place: str) -> tuple[dict[str, Array], str]:
    """Return w, mu and sigma, and in words whatever was taken for one of them unasked.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        What the file holds.
    rename : mapping of str to str
    place : str
        Where it is, for messages.

    Raises
    ------
    InputError
        If one of them is not there, or an expression cannot be computed.
    """
    plan = {name: rename.get(name) or (name if name in arrays else "") for name in Params._fields}
    guessed = {name: _usual(name, arrays, plan) for name, found in plan.items() if not found}
    missing = [name for name, expression in guessed.items() if not expression]
    if missing:
        raise InputError(_not_there(missing, arrays, place))
    plan |= guessed
    found = {name: _value(plan[name], arrays, place) for name in Params._fields}
    said = [_said(name, expression) for name, expression in guessed.items()]
    return found, f"{', '.join(said)}; if not, say so by --rename" if said else ""


def _usual(name: str, arrays: Mapping[str, Array], plan: Mapping[str, str]) -> str:
    """Return the only array with a usual name for a parameter, as an expression; else nothing."""
    taken = set(plan.values())
    found = [
        form.format(theirs)
        for theirs in arrays
        for usual, form in _USUAL[name].items()
        if theirs.lower() == usual and theirs not in taken
    ]
    return found[0] if len(found) == 1 else ""


def _said(name: str, expression: str) -> str:
    theirs = re.sub(r".*\(|\)", "", expression)
    meaning = next((m for f, m in _MEANING.items() if f.format(theirs) == expression), "")
    return f"{name} is taken to be {expression}" + (f" ({theirs} {meaning})" if meaning else "")


def _value(expression: str, arrays: Mapping[str, Array], place: str) -> Array:
    """Compute an expression of the file's arrays; ``pandas.eval`` knows sqrt, exp and so on."""
    import pandas as pd

    if expression in arrays:
        return arrays[expression]
    names = [n for n in re.findall(r"[A-Za-z_]\w*(?!\w*\()", expression) if n in arrays]
    shapes = {arrays[n].shape for n in names}
    try:
        if len(shapes) != 1 or re.search(r"[@\"'\[\]{}]|__|\w\.[A-Za-z_]", expression):
            raise ValueError
        flat = {name: arrays[name].ravel() for name in names}
        with np.errstate(all="ignore"):  # what is not a number is refused later
            values = pd.eval(expression, local_dict=flat, global_dict={}, engine="python")
        return np.asarray(values, dtype=float).reshape(shapes.pop())
    except Exception:  # pandas raises whatever the expression makes it
        near = did_you_mean(expression, arrays)
        raise InputError(
            f"{place}: --rename: '{expression}' is no array there and cannot be computed{near}; "
            f"it has: {_listed(list(arrays))}; write a name, or such as sqrt(sigma2), 1/sqrt(tau), "
            "exp(log_sigma)"
        ) from None


def _not_there(missing: Sequence[str], arrays: Mapping[str, Array], place: str) -> str:
    example = {"w": "w=theta", "mu": "mu=means", "sigma": "sigma=sqrt(sigma2)"}
    how = ",".join(example[name] for name in missing)
    return (
        f"{place}: draws have no {' and no '.join(missing)}; they have: {_listed(list(arrays))}; "
        f"say which they are by --rename, as in --rename '{how}' (sigma is a standard deviation)"
    )


def _listed(names: Sequence[str], most: int = 20) -> str:
    shown = [name for name in names if not name.endswith("__")] or list(names)
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return (", ".join(shown[:most]) + more) or "nothing"

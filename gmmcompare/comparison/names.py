"""How text calls engines, quantities and their statistics."""

from __future__ import annotations

from collections.abc import Sequence

_ENGINES = {
    "em": "EM",
    "gibbs": "Gibbs",
    "nuts": "NUTS",
    "jags": "JAGS",
    "numpyro": "NumPyro",
    "stan": "Stan",
    "exact": "the exact posterior",
    "telescoping": "the telescoping sampler",
    "reversible_jump": "reversible jump",
    "bridge": "bridge evidence",
    "dirichlet_process": "the Dirichlet process",
}
_CRITERIA = {"aic": "AIC", "bic": "BIC", "icl": "ICL", "loo": "LOO", "evidence": "the evidence"}
SCALAR = "scalar"
"""``scalar[mu]`` is a parameter of the user's called mu, whatever mu is in a mixture."""
PARAMETERS = {"w": "weight", "mu": "mean", "sigma": "sd", "log_sigma": "log sd"}


def display_name(name: str) -> str:
    """Return how text calls an engine."""
    return _ENGINES.get(name, name)


def leading_name(name: str) -> str:
    """Return how text calls an engine where a sentence or a label starts with it."""
    text = display_name(name)
    return text if text == name else text[0].upper() + text[1:]


def draws_of(name: str) -> str:
    """Return how text calls the draws of an engine."""
    return f"{'exact' if name == 'exact' else display_name(name)} draws"


def criterion_name(criterion: str, engine: str = "") -> str:
    """Return how text calls a criterion for the number of components, and whose draws it is of."""
    return f"{_CRITERIA[criterion]}{f' ({draws_of(engine)})' if engine else ''}"


def quantity(name: str) -> str:
    """Turn a functional's or a parameter's short name, such as ``cdf[q0.1]``, into words."""
    kind, inside = parts(name)
    if kind == SCALAR:
        return inside
    if kind == "log_lik":
        return "log-likelihood"
    if kind == "log_prior":
        return "log prior density"
    if kind == "mean":
        return "mean of the mixture"
    if kind in ("log_density", "cdf"):
        what = "log density" if kind == "log_density" else "distribution function"
        return f"{what} at the {percent_point(inside)} point of the data"
    if kind == "sorted_w":
        return f"weight no. {inside} by size"
    if kind == "coclustering":
        first, second = map(percent_point, inside.split(","))
        return f"co-clustering of the {first} and {second} points"
    if kind == "dependence":
        first, second = _both(inside)
        return f"dependence of {_the(first)} and {_the(second)}"
    if kind in PARAMETERS:
        return f"{PARAMETERS[kind]} of component {inside}"
    return name


def parts(name: str) -> tuple[str, str]:
    """Split a functional's short name into its kind and what stands in brackets."""
    kind, _, inside = name.removesuffix("]").partition("[")
    return kind, inside


def _both(inside: str) -> tuple[str, str]:
    """Split two names at the comma between them, which is in no brackets."""
    depth = 0
    for i, character in enumerate(inside):
        depth += (character == "[") - (character == "]")
        if character == "," and not depth:
            return inside[:i], inside[i + 1 :]
    return inside, ""


def of_statistic(statistic: str, name: str) -> str:
    """Say which statistic of a quantity is meant, such as its spread."""
    what = _the(name)
    if statistic == "spread":
        return f"the spread of {what}"
    if at := quantile_of(statistic):
        return f"the probability that {what} is below its pooled {at} quantile"
    return what


def _the(name: str) -> str:
    """Return a quantity with its article; a parameter of the user's has none."""
    return quantity(name) if parts(name)[0] == SCALAR else f"the {quantity(name)}"


def quantile_of(statistic: str) -> str:
    """Return the quantile, in per cent, that a statistic is the share below of; else nothing."""
    word, _, quantile = statistic.partition(" ")
    return percent_point(quantile) if word == "below" else ""


def percent_point(quantile: str) -> str:
    """Write a quantile's short name, such as ``q0.25``, in per cent."""
    return f"{100 * float(quantile.removeprefix('q')):g} %"


def listed(items: Sequence[str]) -> str:
    """Join as in a sentence: a, b and c."""
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"

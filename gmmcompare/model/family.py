"""Families of components: what the rest of the code asks of a kind of component.

A mixture's *family* is the distribution of an observation in a component together with the prior of
its parameters. The priors object selects it: its class attribute ``family`` names an entry of
`FAMILIES`, and `family_of` finds it. A family says

- its parameters (a `NamedTuple` such as `Params`, weights first, with methods ``problem``,
  ``permuted``, ``transformed`` and ``restored``) and its kind of data (`Sample` or a subclass);
- the log density of observations, ``log_joint``, and how draws are scored;
- the exact posterior, and what it is made of: sufficient statistics of sets of observations and
  their log density with a component's parameters integrated out.

Priors are asked for ``expanded``, ``transformed``, ``log_density``, ``sample``, ``exchangeable``,
``groups``, ``permuted``, ``is_same``, ``favoured_order`` and ``to_dict``, as those of `Priors`.
Engines of a family are in ``engines.base``: `OF_FAMILY` there maps its name to modules.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from operator import attrgetter
from typing import Any

from numpy.typing import ArrayLike

from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError

FAMILIES: dict[str, str] = {
    "normal": "gmmcompare.model.family:NORMAL",
    "normal-conjugate": "gmmcompare.model.family:CONJUGATE",
    "normal-restricted": "gmmcompare.model.family:RESTRICTED",
    "multivariate": "gmmcompare.model.multivariate.family:MULTIVARIATE",
}
"""Where each family is, imported when it is asked for."""


@dataclass(frozen=True)
class Family:
    """A kind of component; functions are given as ``module:name`` and imported when called.

    Attributes
    ----------
    name : str
        As a card writes it, ``family = "normal"``.
    params : str
        The `NamedTuple` of its parameters.
    priors : str
        The class of its priors, whose fields are the keys of a card's section ``priors``.
    sample : str
        The class of its data, which has ``of(y, origin, counts)``.
    axes : dict of str to tuple of str
        Names of each parameter's axes after that of the components.
    log_joint : str
        ``f(y, params)``: log w_k + log density of each observation, (..., N, K).
    log_likelihood : str
        ``f(sample, params)``, labels summed out, shape (...).
    score : str
        ``f(sample, params)``: what `model.compiled.score` returns, of draws (chains, draws, ...).
    exact : str
        ``f(y, K, priors, errors)``: the exact posterior; errors of measurement are None or refused
        where the family has none.
    statistics : str
        ``f(y)``: the sufficient statistics of all 2^N subsets of standardised observations, bit i
        of the index for observation i; see `exact.component.Sets`.
    component : str
        ``f(priors, k)``: component k of expanded priors, which has ``log_marginal(statistics)``;
        see `exact.summed.IntegratedComponent`. Empty if the posterior is no such sum over sets.
    """

    name: str
    params: str
    priors: str
    sample: str
    axes: dict[str, tuple[str, ...]]
    log_joint: str
    log_likelihood: str
    score: str
    exact: str
    statistics: str = ""
    component: str = ""

    def get(self, what: str) -> Any:
        """Return the class or function that an attribute names.

        Raises
        ------
        InputError
            If the family has none.
        """
        place = getattr(self, what)
        if not place:
            raise InputError(f"family {self.name!r}: has no {what.replace('_', ' ')}")
        return imported(place)

    def call(self, what: str, *args: Any) -> Any:
        """Call the function that an attribute names."""
        function: Callable[..., Any] = self.get(what)
        return function(*args)


NORMAL = Family(
    name="normal",
    params="gmmcompare.model.params:Params",
    priors="gmmcompare.model.priors:Priors",
    sample="gmmcompare.model.sample:Sample",
    axes={"w": (), "mu": (), "sigma": ()},
    log_joint="gmmcompare.model.mixture:log_joint",
    log_likelihood="gmmcompare.model.mixture:log_likelihood",
    score="gmmcompare.model.compiled:score",
    exact="gmmcompare.model.exact.posterior:normal_posterior",
    statistics="gmmcompare.model.exact.component:all_subsets",
    component="gmmcompare.model.exact.closed_form:component_of",
)
CONJUGATE = replace(
    NORMAL, name="normal-conjugate", priors="gmmcompare.model.conjugate:ConjugatePriors"
)
RESTRICTED = replace(
    NORMAL, name="normal-restricted", priors="gmmcompare.model.restricted:RestrictedPriors"
)
"""What a card writes as ``"normal"`` with sds, shared_sd or weights."""


def family_of(priors: Any) -> Family:
    """Return the family that priors select; None selects the normal."""
    return family_named(getattr(priors, "family", "normal"))


@cache
def family_named(name: str) -> Family:
    """Return a family by its name on a card.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    if name not in FAMILIES:
        raise InputError(f"there is no family {name!r}; there are: {', '.join(FAMILIES)}")
    family: Family = imported(FAMILIES[name])
    return family


def imported(place: str) -> Any:
    """Return what ``module:name`` names."""
    module, _, name = place.partition(":")
    return attrgetter(name)(importlib.import_module(module))


def sample_of(y: ArrayLike, priors: Any) -> Sample:
    """Return observations in any order as data of the family that priors select.

    Parameters
    ----------
    y : array_like, shape (N,) or (N, d)
    priors : Priors or those of another family

    Raises
    ------
    InputError
        If y has another number of dimensions than the family and its priors, or is not all finite.
    """
    sample: Sample = family_of(priors).get("sample").of(y)
    d = getattr(priors, "d", None)
    if d is not None and sample.values.shape[1] != d:
        raise InputError(
            f"the observations have {sample.values.shape[1]} columns but the priors are of {d} "
            "dimensions; give mean_loc, mean_cov and cov_scale for as many as there are columns"
        )
    return sample

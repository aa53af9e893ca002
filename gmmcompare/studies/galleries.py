"""The galleries that `study gallery` measures: samplers that must fail, and correct ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from gmmcompare.validation.checks.scenes import FIELDS, MixtureScene, planned
from gmmcompare.validation.faults import families, measured, multivariate
from gmmcompare.validation.faults.catalogue import FAULTS, KERNEL_FAULTS, NOT_FAULTS, PREFIX
from gmmcompare.validation.faults.narrow import FAMILIES
from gmmcompare.validation.sandbox.target import COMPONENTS_PREFIX, KERNELS
from gmmcompare.validation.vectors import BUILT_IN as VECTORS


@dataclass(frozen=True)
class Gallery:
    """Faults and correct samplers of one kind.

    Attributes
    ----------
    of : str
        A sentence that says what the samplers are of; "" for mixtures as they come.
    faults : mapping of str to tuple
        The mistake and, where it is described, its effect, by the name that `validate` takes.
    correct : tuple of str
        Kernels, by the name that `validate` takes.
    runs : tuple of str
        Correct samplers too, but whole ones, which take minutes.
    scenes : tuple of MixtureScene
        Where kernels of mixtures are tried first; empty for all others.
    named : bool
        Whether a diagnosis names faults, by signatures that are stored.
    subtle : tuple of str
        Faults that are always validated in full, since a quick validation may not see them.
    """

    of: str
    faults: Mapping[str, tuple[str, str]]
    correct: tuple[str, ...]
    runs: tuple[str, ...] = ()
    scenes: tuple[MixtureScene, ...] = field(default=(), repr=False)
    named: bool = False
    subtle: tuple[str, ...] = ()

    def short(self, sampler: str) -> str:
        """Return a sampler's name as tables print it."""
        return (
            sampler.removeprefix(multivariate.PREFIX)
            .removeprefix(PREFIX)
            .removeprefix(COMPONENTS_PREFIX)
        )


@cache
def gallery(name: str) -> Gallery:
    """Return a gallery by its name, "" for the mixtures'.

    Raises
    ------
    KeyError
        If it is not one of `NAMES`.
    """
    return _MADE[name]() if name in _MADE else _narrow(name)


def _mixtures() -> Gallery:
    return Gallery(
        "",
        {PREFIX + name: (row.mistake, row.effect) for name, row in FAULTS.items()},
        ("gibbs", "gibbs_plain", *(PREFIX + name for name in NOT_FAULTS)),
        ("engine:gibbs", "nuts"),
        tuple(place[0] for place in planned(3, 12, (2, 3, 5), FIELDS)),
        named=True,
    )


def _narrow(family: str) -> Gallery:
    """Return the gallery of kernels that take less."""
    two, numbers = FAMILIES[family]
    takes = " and ".join(["two components"] * two + ["priors as plain numbers"] * numbers)
    K, sizes = (2, (2,)) if two else (3, (2, 3, 5))
    return Gallery(
        f"The kernels are written for {takes} alone.",
        {f"{PREFIX}{n}@{family}": (row.mistake, row.effect) for n, row in KERNEL_FAULTS.items()},
        tuple(f"{PREFIX}{name}@{family}" for name in NOT_FAULTS),
        scenes=tuple(place[0] for place in planned(K, 12, sizes, () if numbers else FIELDS)),
        named=True,
    )


def _families() -> Gallery:
    found = families.FAMILY_FAULTS
    return Gallery(
        "The kernels are for conjugate priors, known sds, a shared sd and fixed weights.",
        {PREFIX + n: (row.mistake, "") for n, row in found.items() if n not in families.CORRECT},
        tuple(PREFIX + name for name in families.CORRECT),
    )


def _multivariate() -> Gallery:
    return Gallery(
        "The kernels are for multivariate normals, `sweep(w, mu, cov, y, priors, rng)`.",
        {multivariate.PREFIX + fault.name: (fault.mistake, "") for fault in multivariate.FAULTS},
        (VECTORS, f"{VECTORS}_plain"),
    )


def _measured() -> Gallery:
    return Gallery(
        "The kernels are for values measured with errors, `sweep(w, mu, sigma, y, priors, rng, "
        "errors)`.",
        {PREFIX + n: (_first_line(kind), "") for n, kind in measured.MEASURED_FAULTS.items()},
        tuple(name for name in KERNELS if "measured" in name),
    )


def _components() -> Gallery:
    from gmmcompare.validation.faults import number  # Numba is slow to import

    return Gallery(
        "The samplers draw the number of components too; a state is judged by what does not depend "
        "on labels.",
        {COMPONENTS_PREFIX + n: (row.mistake, "") for n, row in number.FAULTS.items()},
        tuple(COMPONENTS_PREFIX + name for name in number.CORRECT),
        subtle=tuple(COMPONENTS_PREFIX + name for name in number.SUBTLE),
    )


def _first_line(kind: type) -> str:
    return str(kind.__doc__).partition("\n")[0]


_MADE = {
    "": _mixtures,
    "families": _families,
    "multivariate": _multivariate,
    "measured": _measured,
    "components": _components,
}
NAMES = (*FAMILIES, *(name for name in _MADE if name))
"""What ``--kernels`` takes."""

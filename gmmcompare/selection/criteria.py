"""`Criteria`: what each criterion says of several numbers of components."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.sample import Sample
from gmmcompare.selection.candidate import Candidate, Sampled
from gmmcompare.selection.loo import LooDifference, loo_difference

_REPLICATES = 20_000


@dataclass(frozen=True)
class Probability:
    """Posterior probability of a K, all those tried being equally likely beforehand.

    ``low`` and ``high`` hold 90 % of what the standard errors of the evidences leave open.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Criteria:
    """Numbers of components, and the value of every criterion for each.

    Attributes
    ----------
    candidates : tuple of Candidate
        By ascending K.
    sample : Sample
    grid : ndarray
        Where densities were worked out.
    """

    candidates: tuple[Candidate, ...]
    sample: Sample
    grid: Array

    @property
    def components(self) -> tuple[int, ...]:
        """The numbers of components."""
        return tuple(candidate.K for candidate in self.candidates)

    @cached_property
    def engines(self) -> tuple[str, ...]:
        """Engines that drew for at least one K."""
        return tuple(dict.fromkeys(name for c in self.candidates for name in c.sampled))

    def sampled(self, engine: str) -> dict[int, Sampled]:
        """Return what one engine's draws say, by K; a K where it failed is left out."""
        return {c.K: c.sampled[engine] for c in self.candidates if engine in c.sampled}

    def values(self, criterion: str, engine: str = "") -> dict[int, float]:
        """Return a criterion's value by K, where there is one.

        For ``aic``, ``bic`` and ``icl`` smaller is better, for ``loo`` and ``evidence`` larger;
        these two are of the given engine's draws.
        """
        if criterion == "loo":
            return {K: s.loo.elpd for K, s in self.sampled(engine).items()}
        if criterion == "evidence":
            return {K: s.evidence.value for K, s in self.sampled(engine).items()}
        return {
            c.K: float(getattr(c.information, criterion)) for c in self.candidates if c.information
        }

    def best(self, criterion: str, engine: str = "") -> int | None:
        """Return the K that a criterion prefers; None where it has no value at all."""
        values = self.values(criterion, engine)
        sign = 1.0 if criterion in ("loo", "evidence") else -1.0
        return max(values, key=lambda K: sign * values[K], default=None)

    def loo_differences(self, engine: str) -> dict[int, LooDifference]:
        """Return the best LOO less that of each other K."""
        found, best = self.sampled(engine), self.best("loo", engine)
        if best is None:
            return {}
        return {K: loo_difference(found[best].loo, s.loo) for K, s in found.items() if best != K}

    def probabilities(self, engine: str) -> dict[int, Probability]:
        """Return the posterior probability of each K from one engine's evidences."""
        found = {K: s.evidence for K, s in self.sampled(engine).items()}
        if not found:
            return {}
        value = np.array([e.value for e in found.values()])
        se = np.array([e.se for e in found.values()])
        noise = np.random.default_rng(0).standard_normal((_REPLICATES, value.size))
        low, high = np.quantile(_shares(value + se * noise), [0.05, 0.95], axis=0)
        middle = _shares(value)
        return {
            K: Probability(*map(float, p)) for K, *p in zip(found, middle, low, high, strict=True)
        }


def _shares(log_values: Array) -> Array:
    values = np.exp(log_values - log_values.max(axis=-1, keepdims=True))
    return np.asarray(values / values.sum(axis=-1, keepdims=True))

"""Kernels of the gallery as many are written: for two components alone, or for priors as numbers.

They show none of their conditionals, as most kernels do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors

FAMILIES: Mapping[str, tuple[bool, bool]] = {
    "two": (True, False),
    "numbers": (False, True),
    "two-numbers": (True, True),
}
"""For two components alone, and for priors as numbers alone."""


class Narrow:
    """A kernel that takes less than the one it is made of.

    Parameters
    ----------
    kernel : callable
        Of the gallery. For two components alone its first weight is drawn from a Beta
        distribution, where its weights are not drawn by a planted fault.
    family : str
        One of `FAMILIES`.
    """

    def __init__(self, kernel: Any, family: str) -> None:
        self.name = f"{getattr(kernel, 'name', 'kernel')}@{family}"
        self._two, self._numbers = FAMILIES[family]
        self._kernel = kernel
        if self._two and "draw_weights" not in vars(kernel):
            kernel.draw_weights = self._beta_weights

    def __call__(
        self, w: Array, mu: Array, sigma: Array, y: Array, priors: Priors, rng: np.random.Generator
    ) -> Params:
        """Make one sweep."""
        if self._two and w.size != 2:
            raise ValueError("this kernel is for two components")
        if self._numbers and any(np.ndim(getattr(priors, f.name)) for f in fields(priors)):
            raise TypeError("priors are plain numbers here")
        new: Params = self._kernel(w, mu, sigma, y, priors, rng)
        return new

    def _beta_weights(self, n_k: Array, priors: Priors, rng: np.random.Generator) -> Array:
        first, second = self._kernel.weights_conditional(n_k, priors)
        share = rng.beta(first, second)
        return np.array([share, 1.0 - share])

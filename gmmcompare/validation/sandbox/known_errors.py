"""The measurement errors that a kernel is given on a trial, if it takes any."""

from __future__ import annotations

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.model.priors import Priors

_PATTERN = (0.5, 1.0, 0.25, 2.0, 0.7, 0.1, 1.4)
"""In the unit of sigma: errors that hardly count, and such that bury a component."""


def known_errors(n: int, priors: Priors) -> Array:
    """Return the sds of n observations' errors, (n,): the same for whoever asks.

    They are about as large as the sds of components, so that a mistake in either shows. None is 0,
    which a correct kernel might divide by.

    Parameters
    ----------
    n : int
    priors : Priors
    """
    unit = np.sqrt(
        np.asarray(priors.var_scale).mean() / (1.0 + np.asarray(priors.var_shape).mean())
    )
    return np.asarray(unit * np.resize(_PATTERN, n))

"""Fits compared, whatever the family of their components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gmmcompare.comparison.agreement import PairVerdict
from gmmcompare.comparison.comparison import Comparison, RefitFit, compare_fits
from gmmcompare.comparison.vectors import VectorComparison, compare_vector_fits
from gmmcompare.fitting.fit import Fit
from gmmcompare.model.multivariate.sample import VectorSample
from gmmcompare.model.sample import Sample


def compared(
    fits: Sequence[Fit],
    sample: Sample | None = None,
    refit: RefitFit | None = None,
    *,
    names: Any = None,
    pairs: tuple[PairVerdict, ...] | None = None,
) -> Comparison | VectorComparison:
    """Align, diagnose and judge fits of one problem.

    Parameters
    ----------
    fits : sequence of Fit
    sample : Sample, optional
        The data with their origin; by default taken from the fits.
    refit : callable, optional
        As for `comparison.compare_fits`.
    names : optional
        Of the observations at each value (`comparison.Names`), or of the columns of vectors.
    pairs : tuple of PairVerdict, optional
        Verdicts that were reached before; by default they are reached now.

    Raises
    ------
    InputError
        If the fits are not of one problem.
    """
    data = sample or (fits[0].sample if fits else None)
    if isinstance(data, VectorSample):
        return compare_vector_fits(fits, data, names or (), refit, pairs)
    return compare_fits(fits, sample, refit, names=names, pairs=pairs)

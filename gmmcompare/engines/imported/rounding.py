"""Weights that were rounded on their way through a text file, and no longer sum to exactly one."""

from __future__ import annotations

import numpy as np

from gmmcompare.model.params import Array

MOST_DIGITS = 9
"""Numbers that need more digits than these are taken to be as precise as they look."""
FEWEST_DECIMALS = 2
_TINY_NEGATIVE = 1e-6
"""One minus the other weights may come out a little below zero."""
_SINGLE_PRECISION = 5e-7


def rescaled(w: Array) -> tuple[Array, str]:
    """Let weights sum to one where they miss it by no more than their rounding.

    Parameters
    ----------
    w : ndarray, shape (..., K)

    Returns
    -------
    ndarray, of the same shape
        As it was, if rounding does not explain what the sums are.
    str
        What was done, in words; empty where nothing was.
    """
    if not np.isfinite(w).all() or (w < -_TINY_NEGATIVE).any():
        return w, ""
    off = np.abs(w.sum(axis=-1) - 1.0)
    worst = float(off.max(initial=0.0))
    if worst <= 1e-12 and (w >= 0).all():
        return w, ""
    digits, decimals = significant_digits(w), decimal_places(w)
    if not (off <= _rounding_of_sum(w, digits, decimals)).all():
        return w, ""
    positive = np.maximum(w, 0.0)
    how = _in_words(digits, decimals)
    if worst < 1e-6 and digits is decimals is None:  # single precision: not worth a word
        return positive / positive.sum(axis=-1, keepdims=True), ""
    note = f"weights are {how}, so that they were rescaled to sum to 1 (off by up to {worst:.1g})"
    return positive / positive.sum(axis=-1, keepdims=True), note


def significant_digits(values: Array) -> int | None:
    """Return how many significant digits all values can be written with; None if more than 9."""
    nonzero = np.abs(values[values != 0])
    exponent = np.floor(np.log10(nonzero))
    return _fewest(nonzero * 10.0**-exponent, 0)


def decimal_places(values: Array) -> int | None:
    """Return how many decimals all values can be written with; None if more than 9."""
    return _fewest(values, FEWEST_DECIMALS)


def _fewest(values: Array, start: int) -> int | None:
    """Return the smallest number of decimals, plus one where it starts at none."""
    for decimals in range(start, MOST_DIGITS + bool(start)):
        scaled = values * 10.0**decimals
        if (np.abs(scaled - np.rint(scaled)) < 1e-6).all():
            return decimals if start else decimals + 1
    return None


def _rounding_of_sum(w: Array, digits: int | None, decimals: int | None) -> Array:
    """Return by how much rounding can move the sum, shape (...): half a unit for each weight."""
    unit = np.zeros(w.shape)
    if digits is not None:
        exponent = np.floor(np.log10(np.abs(w), where=w != 0, out=np.full(w.shape, -300.0)))
        unit = 10.0 ** (exponent - digits + 1)
    if decimals is not None:
        unit = np.maximum(unit, 10.0**-decimals)
    if digits is decimals is None and (w == w.astype(np.float32)).all():
        unit = np.full(w.shape, 2 * _SINGLE_PRECISION)
    return 0.5 * 1.001 * unit.sum(axis=-1) + 1e-12


def _in_words(digits: int | None, decimals: int | None) -> str:
    if decimals is not None and (digits is None or decimals <= digits):
        return f"rounded to {decimals} decimals"
    return f"rounded to {digits} digits" if digits is not None else "in single precision"

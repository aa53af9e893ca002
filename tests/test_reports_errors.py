"""What ``reports/errors.md`` says in sentences is what its tables say."""

from __future__ import annotations

import re

import numpy as np
from printed import read, tables
from scipy.stats import binom


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"-?\d[\d,]*\.?\d*", text.replace(",", ""))]


def test_errors() -> None:
    text = read("errors")
    (by_k,) = tables(text, "By number of components")
    free = 3 * np.arange(1, 6) - 1
    for kind in ("errors", "ignored"):
        height, bic = (
            np.array([float(c) for c in by_k.column(f"{name}, {kind}")])
            for name in ("log-likelihood", "BIC")
        )
        np.testing.assert_allclose(-2 * height + free * np.log(4338), bic, atol=0.07)
        assert bic.argmin() == 3
        if kind == "errors":
            assert f"by {bic[1] - bic[2]:.1f})" in text
    assert f"{100 * (1 - 0.1092 / 0.1232):.0f} %" == "11 %"
    assert f"{100 * (1 - 0.0242 / 0.0262):.0f} %" == "8 %"
    (coverage,) = tables(text, "Coverage")
    for row in coverage.rows:
        level = int(row[0].split()[0]) / 100
        low, high = binom.ppf([5e-4, 1 - 5e-4], 100, level)
        assert f"{low:.0f} to {high:.0f}" in text
        inside = [low <= int(cell) <= high for cell in row[2:]]
        assert all(inside) if row[1] == "used" else not any(inside)
    (speed,) = tables(text, "EM against extreme deconvolution as published")
    ratios = re.findall(r"(\d[\d, ]+) \(median (\d+)\)", text)
    assert [median for _, median in ratios] == speed.column("ratio")[1:]
    for of_starts, median in ratios:
        assert np.median([int(r) for r in of_starts.split(",")]) == int(median) > 10
    assert f"({4224 / 2104:.1f} times the work)" in text

"""``gmmcompare.testing``: light enough for any test suite."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sys

HEAVY = ("arviz", "arviz_base", "arviz_stats", "arviz_plots", "pymc", "pytensor", "xarray",
         "matplotlib", "pandas")

def loaded():
    return [name for name in HEAVY if name in sys.modules]

import gmmcompare.testing
print("imported", loaded())

from gmmcompare.engines.gibbs.plain import sweep

def main():
    found = gmmcompare.testing.assert_valid_kernel(sweep)
    print("valid", found.verdict, loaded())
    try:
        gmmcompare.testing.assert_valid_kernel("fault:rate-for-scale")
    except AssertionError as error:
        print("invalid", "rate-for-scale" in str(error), loaded())

if __name__ == "__main__":
    main()
"""


@pytest.mark.slow
def test_neither_arviz_nor_pymc_is_imported_nor_needed() -> None:
    result = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=False
    )
    assert result.stdout.splitlines() == [
        "imported []",
        "valid passed []",
        "invalid True []",
    ], result.stderr

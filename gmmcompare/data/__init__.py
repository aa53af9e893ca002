"""Data sets: bundled, from the NASA Exoplanet Archive, or a user's own file."""

from gmmcompare.data.datasets import (
    Description,
    Listing,
    describe,
    fetch,
    list_datasets,
    load_rows,
    load_sample,
)
from gmmcompare.data.rows import Rows
from gmmcompare.data.vectors import load_vectors

__all__ = [
    "Description",
    "Listing",
    "Rows",
    "describe",
    "fetch",
    "list_datasets",
    "load_rows",
    "load_sample",
    "load_vectors",
]

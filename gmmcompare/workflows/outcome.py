"""A comparison and where it came from, to and from its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from gmmcompare.comparison.agreement import PairVerdict
from gmmcompare.comparison.clustering import names_in
from gmmcompare.comparison.compared import compared
from gmmcompare.comparison.comparison import Comparison
from gmmcompare.comparison.reasons import from_codes
from gmmcompare.comparison.vectors import VectorComparison
from gmmcompare.data import Rows
from gmmcompare.fitting.fit import Fit, digest_in, load_fit
from gmmcompare.model.card import card_of
from gmmcompare.model.sample import Origin
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import replacing, write_json
from gmmcompare.workflows.provenance import Provenance

ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Outcome:
    """A comparison and where it came from."""

    comparison: Any
    provenance: Provenance
    folder: Path | None = None


def write_outcome(outcome: Outcome, rows: Rows | None, folder: Path) -> None:
    """Write a comparison and its fits, with their aligned draws, so that `load_outcome` finds them.

    Parameters
    ----------
    outcome : Outcome
    rows : Rows or None
        The observations in the order of their file; without them no ``allocations.csv`` is written.
    folder : Path

    Raises
    ------
    InputError
        If it cannot be written.
    """
    for name, fit in outcome.comparison.fits.items():
        keep_aligned(fit, folder / "fits" / f"{name}.nc")
    if rows:
        _write_allocations(outcome.comparison, rows, folder / "allocations.csv")
    write_json(folder / "comparison.json", comparison_json(outcome))


def keep_aligned(fit: Fit, path: Path) -> None:
    """Save a fit with its aligned draws, unless that is what the folder has.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    if digest_in(path) != fit.digest:
        fit.save(path)


def _write_allocations(comparison: Comparison, rows: Rows, path: Path) -> None:
    """Write what every engine says of every observation, in the order of the file.

    Columns: ``row`` of the file (1 is the first below the header), ``name`` where the data have
    names, ``value`` as it was fitted, ``weight`` where they are counted, then those of
    `Clustering.table`, to nine decimals.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    if isinstance(comparison, VectorComparison):
        _write_vector_allocations(comparison, rows, path)
        return
    table = comparison.clustering.table().round(9).reset_index()
    at = comparison.sample.find(rows.y, rows.errors)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for start in range(0, at.size, ROWS_AT_ONCE):
            piece = slice(start, start + ROWS_AT_ONCE)
            part = table.iloc[at[piece]]
            part.insert(0, "row", rows.row[piece])
            if rows.counts is not None:
                part.insert(2, "weight", rows.counts[piece])
            if rows.names is not None:
                part.insert(1, "name", rows.names[piece])
            part.to_csv(file, index=False, header=not start)


def _write_vector_allocations(comparison: VectorComparison, rows: Rows, path: Path) -> None:
    """Write row, name, the values of each dimension, and P(component) by every engine."""
    import pandas as pd

    at = comparison.sample.find(rows.y)
    columns: dict[str, Any] = {"row": rows.row}
    if rows.names is not None:
        columns["name"] = rows.names
    columns.update({name: rows.y[:, j] for j, name in enumerate(comparison.names)})
    if rows.counts is not None:
        columns["weight"] = rows.counts
    for engine, probability in comparison.allocation.items():
        columns[f"{engine}_component"] = probability.argmax(axis=1)[at] + 1
        for k in range(comparison.K):
            columns[f"{engine}_p{k + 1}"] = probability[at, k].round(9)
    with replacing(path) as temporary:
        pd.DataFrame(columns).to_csv(temporary, index=False)


def comparison_json(outcome: Outcome) -> dict[str, Any]:
    """Return the content of ``comparison.json``."""
    comparison = outcome.comparison
    if isinstance(comparison, VectorComparison):
        return {**outcome.provenance.header(comparison.sample), **comparison.to_dict()}
    return {
        **outcome.provenance.header(comparison.sample),
        **comparison.to_dict(),
        "clustering": comparison.clustering.to_dict(),
    }


def load_outcome(folder: str | Path) -> Outcome:
    """Load a finished comparison from its folder; nothing is fitted.

    Raises
    ------
    InputError
        If there is no ``comparison.json``, or it or a fit is damaged.
    """
    folder = Path(folder)
    path = folder / "comparison.json"
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; make it with `gmmcompare compare CARD --out {folder}`"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        described = dict(content["card"])
        file = Path(f"{described.pop('name')}.toml")
        card = card_of(described).model_validate({**described, "file": file})
        priors = card.build_priors()
        fits = [
            load_fit(folder / "fits" / f"{name}.nc").under(priors) for name in content["engines"]
        ]
        pairs = tuple(PairVerdict.from_dict(pair) for pair in content["pairs"])
        data = {"n_without_error": 0, **content["data"]}  # without errors it is not written
        origin = Origin(**{f.name: data[f.name] for f in fields(Origin)})
        followed = from_codes(content.get("followed", ()))
        of_vectors = "dimensions" in content
        clustering = {} if of_vectors else content.get("clustering", {})  # not in 0.1.0
        names: Any = content["dimensions"] if of_vectors else names_in(clustering)
    except InputError:
        raise
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: is damaged; run `gmmcompare compare` again") from None
    sample = replace(fits[0].sample, origin=origin)
    comparison = compared(fits, sample, names=names, pairs=pairs)
    if isinstance(comparison, Comparison):
        comparison = replace(comparison, followed=followed)
    provenance = Provenance(card, content["created"], content["command"], content["versions"])
    return Outcome(comparison, provenance, folder)

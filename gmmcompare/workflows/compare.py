"""From a card to fits to a comparison, and to and from its folder; provenance."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np

from gmmcompare._version import __version__
from gmmcompare.comparison.agreement import PairVerdict
from gmmcompare.comparison.clustering import names_in
from gmmcompare.comparison.comparison import Comparison, compare_fits, sample_of
from gmmcompare.data import Rows, load_rows
from gmmcompare.data.partitions.pieces import is_partitioned
from gmmcompare.fitting.fit import load_fit
from gmmcompare.fitting.runner import (
    EngineRequest,
    Runner,
    SilentWatcher,
    Watcher,
    engine_requests,
    fit_together,
)
from gmmcompare.model.card import Card
from gmmcompare.model.sample import Origin, Sample
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import replacing, write_json
from gmmcompare.runtime.tasks import InProcess, Tasks
from gmmcompare.workflows.open_partitions import open_partitions, random_part

SCHEMA = 1
ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Provenance:
    """Everything needed to make a comparison again."""

    card: Card
    created: str
    command: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """A comparison and where it came from."""

    comparison: Comparison
    provenance: Provenance
    folder: Path | None = None


def card_sample(
    card: Card, data: str | None = None, offline: bool = False, tasks: Tasks | None = None
) -> Sample:
    """Load the data a card asks for, or the same column of other files, as a sample.

    Partitions are kept where tasks run, by default in this process.
    """
    source = card_source(card, data)
    if not is_partitioned(source):
        return card_rows(card, data, offline).sample
    section = card.data
    chosen = section.column, section.transform, section.label
    if section.subsample is None:
        return open_partitions(source, card.K, *chosen, tasks=tasks)
    return random_part(source, section.subsample, card.run.seed, *chosen, tasks=tasks)


def card_rows(card: Card, data: str | None = None, offline: bool = False) -> Rows:
    """Load the data a card asks for, or the same column of another file, row by row.

    Another file need not have the card's column of names.
    """
    section = card.data
    rows = load_rows(
        card_source(card, data),
        section.column,
        section.transform,
        section.label,
        section.name_column,
        offline,
        names_required=data is None,
    )
    if section.subsample is None:
        return rows
    return rows.random_part(section.subsample, card.run.seed)


def card_source(card: Card, data: str | None = None) -> str | Path:
    """Return the data set, file or glob of a card, or the one that replaces it.

    A relative ``path`` in a card is relative to the card.
    """
    section = card.data
    return data or section.dataset or card.file.parent / str(section.path)


def compare_card(
    card: Card,
    requests: Sequence[EngineRequest] | None = None,
    *,
    rows: Rows | None = None,
    sample: Sample | None = None,
    folder: Path | None = None,
    fresh: bool = False,
    watcher: Watcher | None = None,
    command: str = "",
    write_comparison: bool = True,
    tasks: Tasks | None = None,
) -> Outcome:
    """Fit every engine, compare, and write the results if a folder is given.

    These are ``comparison.json`` and, one line for each observation, ``allocations.csv``; fits are
    kept in any case. The data are the card's unless ``rows`` are given, or a ``sample``, whose
    observations have no rows to be written. Engines run one after another in this process, or at
    the same time where ``tasks`` run; the results are the same.

    Raises
    ------
    InputError
        If the data or the card cannot be used, or the folder cannot be written.
    EngineError
        If an engine raises or returns nonsense; fits finished before it are kept.
    """
    if rows is None and sample is None:
        if is_partitioned(card_source(card)):
            sample = card_sample(card)
        else:
            rows = card_rows(card)
    sample = sample or cast(Rows, rows).sample
    make_folder(folder)
    # `gmmcompare select` of this card, with its own default folder, has fitted this K already.
    lenders = (folder.parent / f"select-{card.name}" / f"k{card.K}",) if folder else ()
    runner = Runner(
        card, sample, folder, fresh, watcher or SilentWatcher(), lenders, tasks or InProcess()
    )
    requests = requests or engine_requests()
    if tasks:
        fit_together([(runner, request) for request in requests], tasks)
    fits = [runner.fit(request) for request in requests]
    names = rows.names_by_value() if rows else {}
    comparison = compare_fits(fits, sample, runner.refit, names=names)
    provenance = Provenance(
        card, datetime.now(UTC).isoformat(timespec="seconds"), command, versions()
    )
    outcome = Outcome(comparison, provenance, folder)
    if folder and write_comparison:
        _keep_aligned(comparison, folder)
        if rows:
            write_allocations(comparison, rows, folder / "allocations.csv")
        write_json(folder / "comparison.json", comparison_json(outcome))
    return outcome


def make_folder(folder: Path | None) -> None:
    """Create an output folder before any work is done.

    Raises
    ------
    InputError
        If it cannot be created or written.
    """
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe.{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written: {error.strerror}; choose another by --out"
        ) from None


def _keep_aligned(comparison: Comparison, folder: Path) -> None:
    """Save fits with their aligned draws, unless that is how they were loaded."""
    for name, fit in comparison.fits.items():
        path = folder / "fits" / f"{name}.nc"
        if not path.is_file() or load_fit(path) != fit:
            fit.save(path)


def write_allocations(comparison: Comparison, rows: Rows, path: Path) -> None:
    """Write what every engine says of every observation, in the order of the file.

    Columns: ``row`` of the file (1 is the first below the header), ``name`` where the data have
    names, ``value`` as it was fitted, then those of `Clustering.table`, to nine decimals.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    table = comparison.clustering.table().round(9).reset_index()
    at = np.searchsorted(comparison.sample.values, rows.y)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for start in range(0, at.size, ROWS_AT_ONCE):
            piece = slice(start, start + ROWS_AT_ONCE)
            part = table.iloc[at[piece]]
            part.insert(0, "row", rows.row[piece])
            if rows.names is not None:
                part.insert(1, "name", rows.names[piece])
            part.to_csv(file, index=False, header=not start)


def comparison_json(outcome: Outcome) -> dict[str, Any]:
    """Return the content of ``comparison.json``."""
    comparison, provenance = outcome.comparison, outcome.provenance
    return {
        "schema": SCHEMA,
        "version": __version__,
        "created": provenance.created,
        "command": provenance.command,
        "versions": dict(provenance.versions),
        "card": {
            "name": provenance.card.name,
            **provenance.card.model_dump(mode="json", exclude_none=True),
        },
        "data": data_entry(comparison.sample),
        **comparison.to_dict(),
        "clustering": comparison.clustering.to_dict(),
    }


def data_entry(sample: Sample) -> dict[str, Any]:
    """Return the entry ``data`` of ``comparison.json``."""
    origin = sample.origin
    return {
        "name": origin.name,
        "label": origin.label,
        "source": origin.source,
        "simulated": origin.simulated,
        "n": sample.n,
        "n_distinct": sample.n_distinct,
        "n_missing": origin.n_missing,
        "sha256": origin.sha256,
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
        card = Card.model_validate({**described, "file": file})
        fits = [load_fit(folder / "fits" / f"{name}.nc") for name in content["engines"]]
        pairs = tuple(PairVerdict.from_dict(pair) for pair in content["pairs"])
        data = content["data"]
        origin = Origin(**{f.name: data[f.name] for f in fields(Origin)})
        names = names_in(content.get("clustering", {}))  # 0.1.0 did not write it
    except InputError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: is damaged ({type(error).__name__}: {error}); run `gmmcompare compare` again"
        ) from None
    sample = replace(sample_of(fits[0]), origin=origin)
    comparison = compare_fits(fits, sample, pairs=pairs, names=names)
    provenance = Provenance(card, content["created"], content["command"], content["versions"])
    return Outcome(comparison, provenance, folder)


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    packages = ("numpy", "scipy", "numba", "pymc", "nutpie", "arviz")
    found = {name: importlib.metadata.version(name) for name in packages}
    return {
        "gmmcompare": __version__,
        "python": platform.python_version(),
        **found,
        "platform": f"{sys.platform} {platform.machine()}",
    }

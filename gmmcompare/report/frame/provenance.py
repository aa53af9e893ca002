"""Where a result came from: its card as text, its data, seeds, versions and command."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gmmcompare.model.card import Card
from gmmcompare.model.sample import Sample
from gmmcompare.workflows.provenance import Provenance, versions


def card_text(card: Card) -> str:
    """Return a card as TOML, every field written out."""
    content = card.model_dump(mode="json", exclude_none=True)
    lines: list[str] = []
    _write_table(content, (), lines)
    return "\n".join(lines).strip() + "\n"


def _write_table(table: Mapping[str, Any], path: tuple[str, ...], lines: list[str]) -> None:
    plain = {k: v for k, v in table.items() if not isinstance(v, Mapping)}
    if path and plain:
        lines += ["", f"[{'.'.join(path)}]"]
    # JSON's numbers, strings, booleans and lists are TOML's.
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in plain.items()]
    for key, value in table.items():
        if isinstance(value, Mapping):
            _write_table(value, (*path, key), lines)


def provenance_section(
    sample: Sample, seeds: Sequence[tuple[str, str]], provenance: Provenance | None
) -> dict[str, Any]:
    """Return what the last section prints.

    Parameters
    ----------
    sample : Sample
    seeds : sequence of (str, str)
        Whose, and the seed.
    provenance : Provenance or None
        Without one, what the fits alone tell.
    """
    origin = sample.origin
    return {
        "data": [
            ("name", origin.name),
            ("source", origin.source),
            ("observations", f"{sample.n:,}, {sample.n_distinct:,} of them distinct"),
            *_of_errors(sample),
            ("missing values left out", f"{origin.n_missing:,}"),
            ("SHA-256", origin.sha256),
        ],
        "seeds": seeds,
        "versions": list((provenance.versions if provenance else versions()).items()),
        "created": provenance.created if provenance else "",
        "card": card_text(provenance.card) if provenance else "",
        "card_name": provenance.card.name if provenance else "",
        "command": provenance.command if provenance else "",
    }


def _of_errors(sample: Sample) -> list[tuple[str, str]]:
    """Return what is said of measurement errors: their size, and what pairs cost in ties."""
    if sample.errors is None:
        return []
    low, middle, high = np.quantile(np.repeat(sample.errors, sample.counts), [0.05, 0.5, 0.95])
    pairs, values = sample.n_distinct, int(np.unique(sample.values).size)
    return [
        ("errors", f"median {middle:.2g}, 90 % from {low:.2g} to {high:.2g}"),
        (
            "distinct",
            f"{pairs:,} pairs of value and error, of {values:,} distinct values: "
            f"{pairs / values:.1f} times the work of values alone",
        ),
        ("values without an error", f"{sample.origin.n_without_error:,}"),
    ]

"""Where a comparison came from: its card as text, its data, seeds, versions and command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gmmcompare.comparison.comparison import Comparison
from gmmcompare.model.card import Card
from gmmcompare.report.comparison.figures import Looks
from gmmcompare.workflows.compare import Provenance, versions


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
    comparison: Comparison, provenance: Provenance | None, looks: Looks
) -> dict[str, Any]:
    """Return what the last section prints; without a `Provenance`, what the fits alone tell."""
    sample = comparison.sample
    origin = sample.origin
    data = [
        ("name", origin.name),
        ("source", origin.source),
        ("observations", f"{sample.n:,}, {sample.n_distinct:,} of them distinct"),
        ("missing values left out", f"{origin.n_missing:,}"),
        ("SHA-256", origin.sha256),
    ]
    return {
        "data": data,
        "seeds": [(looks[name].text, str(fit.seed)) for name, fit in comparison.fits.items()],
        "versions": list((provenance.versions if provenance else versions()).items()),
        "created": provenance.created if provenance else "",
        "card": card_text(provenance.card) if provenance else "",
        "card_name": provenance.card.name if provenance else "",
        "command": provenance.command if provenance else "",
    }

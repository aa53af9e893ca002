"""The bundled model cards that lessons use, with their data; nothing is fetched."""

from __future__ import annotations

from gmmcompare.data import load_sample
from gmmcompare.model.card import Card, load_card
from gmmcompare.model.sample import Sample


def card_with_data(name: str, *overrides: str) -> tuple[Card, Sample]:
    """Return a bundled card, changed as on the command line by ``--set``, and its data."""
    card = load_card(name, overrides)
    data = card.data
    return card, load_sample(str(data.dataset), data.column, data.transform, data.label)

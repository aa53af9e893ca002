"""The page of a selection: self-contained, and true to the selection."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.comparison.words import sentence
from gmmcompare.fitting.requests import engine_requests
from gmmcompare.model.card import validated_card
from gmmcompare.report import write_selection
from gmmcompare.report.frame.words import number
from gmmcompare.workflows.load import Data
from gmmcompare.workflows.select import SelectionOutcome, select_card

pytestmark = pytest.mark.slow

MOST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def outcome() -> SelectionOutcome:
    """Return 1 to 3 components for two heaps far apart."""
    rng = np.random.default_rng(1)
    sample = gc.Sample.of(np.round(np.r_[rng.normal(0, 1, 60), rng.normal(8, 0.5, 40)], 1))
    content = {
        "title": "Two <heaps>",
        "data": {"path": "heaps.csv"},
        "mixture": {"components": 2},
        "priors": gc.Priors(1.0, 0.0, 10.0, 2.0, 1.0).to_dict(),
        "engines": {"gibbs": {"draws": 300, "warmup": 200}, "em": {"starts": 4}},
    }
    card = validated_card(content, Path("heaps.toml"))
    return select_card(
        card,
        (1, 2, 3),
        engine_requests(("em", "gibbs")),
        data=Data(sample),
        command="gmmcompare select heaps",
    )


@pytest.fixture(scope="module")
def text(outcome: SelectionOutcome, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = write_selection(outcome, tmp_path_factory.mktemp("page") / "index.html")
    assert path.stat().st_size < MOST_BYTES
    return path.read_text(encoding="utf-8")


def visible(text: str) -> str:
    """Return the words of the page, white space made one."""
    body = re.sub(r"<(style|script|svg).*?</\1>", " ", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", body)).replace("\N{NO-BREAK SPACE}", " ")


def test_it_loads_nothing(text: str) -> None:
    assert not re.search(r'(src|href)="(?!#|data:)', text)
    assert "default-src 'none'" in text


def test_every_number_of_components_has_its_fit_and_calibration(text: str) -> None:
    for K in (1, 2, 3):
        assert f'id="fit{K}-' in text
        assert f'id="pit{K}-' in text
    assert len(re.findall(r"<figure>", text)) == 3 + 1 + 3


def test_every_conclusion_and_disagreement_is_there(outcome: SelectionOutcome, text: str) -> None:
    words = visible(text)
    for c in outcome.selection.conclusions:
        assert c.sentence in words
        for doubt in c.doubts:
            assert sentence(doubt) in words
    for reason in outcome.selection.disagreements:
        assert sentence(reason) in words
    assert len(outcome.selection.doubts) == len(re.findall(r"<li>K = \d, Gibbs", text))


def test_the_table_has_the_numbers(outcome: SelectionOutcome, text: str) -> None:
    words = visible(text)
    for c in outcome.selection.candidates:
        assert c.information
        found = c.sampled["gibbs"]
        for value, decimals in (
            (c.information.bic, 1),
            (found.loo.elpd, 1),
            (found.evidence.value, 2),
        ):
            assert number(value, decimals) in words
    assert f"<strong>{number(outcome.selection.values('bic')[2], 1)}</strong>" in text


def test_figures_state_their_findings(text: str) -> None:
    labels = re.findall(r'role="img" aria-label="([^"]*)"', text)
    assert len(labels) == 3 + 4 + 3
    assert all(len(label) > 20 for label in labels)
    assert "BIC is lowest at K = 2" in " ".join(labels)


def test_the_pages_links_lead_somewhere(text: str) -> None:
    targets = set(re.findall(r'href="#([^"]+)"', text))
    assert targets <= set(re.findall(r' id="([^"]+)"', text))


def test_ids_are_unique(text: str) -> None:
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_the_command_and_the_priors_are_there(text: str) -> None:
    assert "gmmcompare select heaps" in text
    assert "mean_sd = 10.0" in text

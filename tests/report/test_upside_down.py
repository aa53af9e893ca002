"""No verdict, suspect or page hangs on words: all of the catalogue is made nonsense of, twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.comparison import names
from gmmcompare.comparison.comparison import Comparison, compare_fits
from gmmcompare.comparison.words import catalogue
from gmmcompare.data import Rows
from gmmcompare.fitting.requests import engine_requests
from gmmcompare.model.card import Card, validated_card
from gmmcompare.report import write_report, write_selection, write_sensitivity, write_validation
from gmmcompare.validation.verdict import Validation
from gmmcompare.workflows.load import Data
from gmmcompare.workflows.select import SelectionOutcome, select_card
from gmmcompare.workflows.sensitivity import Sensitivity

pytestmark = pytest.mark.slow

NONSENSE = "; nuts: agree, copies of gibbs: em lies 10^3 % below: "


@contextmanager
def upside_down() -> Iterator[None]:
    """Let every code say the same nonsense, full of what code might look for in a sentence."""
    with pytest.MonkeyPatch.context() as patch:
        for code in catalogue.SAYS:
            patch.setitem(catalogue.SAYS, code, lambda **numbers: NONSENSE)
        patch.setattr(names, "_ENGINES", {"em": "gibbs", "gibbs": "nuts: em", "nuts": "em"})
        yield


class Structure(HTMLParser):
    """Collects elements with what tells them apart: identities, classes, what is unfolded."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.drawing = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.drawing += tag == "svg"
        if not self.drawing:
            kept = tuple(a for a in attrs if a[0] in ("id", "class", "href", "open"))
            self.elements.append((tag, kept))

    def handle_endtag(self, tag: str) -> None:
        self.drawing -= tag == "svg"


def structure(write: Callable[[Any, Path], Path], found: object, folder: Path) -> list[object]:
    return Structure(write(found, folder / "page.html").read_text(encoding="utf-8")).elements


SAMPLE = gc.Sample.of(np.random.default_rng(1).normal(np.repeat([0.0, 6.0], [60, 40]), 1.0))


@pytest.fixture(scope="module")
def fits() -> list[gc.Fit]:
    """Return EM, Gibbs, a sampler of another posterior, a point that stopped early."""

    def shifted(y, K, priors, draws, warmup, chains, rng):  # type: ignore[no-untyped-def]
        w, mu, sigma = (np.array(a) for a in gibbs.params)
        return {"w": w, "mu": mu + 0.1 * (1 + np.arange(chains))[:, None, None], "sigma": sigma}

    def early(y, K, priors, draws, warmup, chains, rng):  # type: ignore[no-untyped-def]
        return {"w": np.array([0.5, 0.5]), "mu": np.array([0.5, 5.0]), "sigma": np.ones(2)}

    few = {"components": 2, "draws": 400}
    gibbs = gc.fit(SAMPLE, "gibbs", **few, warmup=100)
    return [
        gc.fit(SAMPLE, "em", components=2),
        gibbs,
        gc.fit(SAMPLE, shifted, **few, name="shifted"),
        gc.fit(SAMPLE, early, components=2, name="early"),
    ]


def test_a_comparison(fits: list[gc.Fit], tmp_path: Path) -> None:
    def compared() -> tuple[Comparison, list[object]]:
        found = compare_fits(fits)
        return found, structure(write_report, found, tmp_path)

    found, page = compared()
    with upside_down():
        again, same = compared()
        assert NONSENSE in again.sentence()
    assert {"inconclusive", "disagree"} <= {pair.verdict for pair in found.pairs}
    assert "early" in found.suspects
    assert (again.verdict, again.suspects, again.pairs) == (
        found.verdict,
        found.suspects,
        found.pairs,
    )
    assert same == page


def card_of(draws: int) -> Card:
    content = {
        "title": "Small",
        "data": {"path": "small.csv", "column": "x"},
        "mixture": {"components": 2},
        "priors": gc.Priors(1.0, 0.0, 10.0, 2.0, 1.0).to_dict(),
        "engines": {"gibbs": {"draws": draws, "warmup": 100}, "em": {"starts": 4}},
    }
    return validated_card(content, Path("small.toml"))


def test_a_selection(tmp_path: Path) -> None:
    def selected() -> tuple[SelectionOutcome, list[object]]:
        found = select_card(
            card_of(200), (1, 2), engine_requests(("em", "gibbs")), data=Data(SAMPLE)
        )
        return found, structure(write_selection, found, tmp_path)

    found, page = selected()
    with upside_down():
        again, same = selected()
        assert NONSENSE in again.selection.conclusions[0].sentence
    one, other = found.selection, again.selection
    assert one.doubts  # so few draws
    assert (other.conclusions, other.doubts, other.disagreements) == (
        one.conclusions,
        one.doubts,
        one.disagreements,
    )
    assert other.to_dict()["preferred"] == one.to_dict()["preferred"]
    assert same == page


def test_a_study_of_priors(tmp_path: Path) -> None:
    rows = Rows.of(np.array([0.3, 1.9, 1.1, 0.7, 2.2, 1.4]))

    def studied() -> tuple[Sensitivity, list[object]]:
        found = gc.sensitivity(card_of(200), rows=rows)
        return found, structure(write_sensitivity, found, tmp_path)

    found, page = studied()
    with upside_down():
        again, same = studied()
    assert any(rerun.fit.doubts for rerun in found.reruns)
    assert [again.finding(f) for f in again.fields] == [found.finding(f) for f in found.fields]
    assert [r.fit.doubts for r in again.reruns] == [r.fit.doubts for r in found.reruns]
    assert same == page


def test_a_validation(tmp_path: Path) -> None:
    def validated() -> tuple[Validation, list[object]]:
        found = gc.validate("fault:rate-for-scale", quick=True, jobs=1)
        return found, structure(write_validation, found, tmp_path)

    found, page = validated()
    with upside_down():
        again, same = validated()
        assert NONSENSE in str(again)
    assert again.verdict == found.verdict == "failed"
    assert [check.reasons for check in again.checks] == [check.reasons for check in found.checks]
    assert again.diagnosis == found.diagnosis
    assert found.diagnosis.suspects
    assert same == page

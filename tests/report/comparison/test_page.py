"""The page as a document: self-contained, well-formed, and true to the comparison."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.comparison.agreement import FunctionalResult, PairVerdict
from gmmcompare.comparison.reasons import Code, Reason
from gmmcompare.model.sample import Origin
from gmmcompare.report import write_index
from gmmcompare.report.frame.provenance import card_text
from gmmcompare.report.frame.words import number
from gmmcompare.runtime.errors import InputError
from gmmcompare.workflows.outcome import Outcome

MOST_BYTES = 3_000_000
MOST_SECONDS = 10.0


class Page(HTMLParser):
    """Collects what the tests ask about a document."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split()).replace("\N{NO-BREAK SPACE}", " ")


def page_of(comparison: gc.Comparison | Outcome, folder: Path) -> tuple[str, Page]:
    text = gc.write_report(comparison, folder / "index.html").read_text(encoding="utf-8")
    return text, Page(text)


@pytest.fixture(scope="module")
def written(comparison: gc.Comparison, tmp_path_factory: pytest.TempPathFactory) -> str:
    return page_of(comparison, tmp_path_factory.mktemp("page"))[0]


@pytest.fixture(scope="module")
def page(written: str) -> Page:
    return Page(written)


@pytest.mark.slow
def test_nothing_is_loaded_from_elsewhere(written: str, page: Page) -> None:
    assert not re.findall(r"https?://|@import", written)
    sources = [
        a[key] for _, a in page.elements for key in ("src", "href", "xlink:href") if key in a
    ]
    assert sources
    assert all(s.startswith(("#", "data:")) for s in sources)


def test_the_policy_allows_this_script_and_nothing_from_outside(written: str, page: Page) -> None:
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    script = re.search(r"<script>(.*?)</script>", written, re.DOTALL)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    assert not [a for _, a in page.elements if any(name.startswith("on") for name in a)]


def test_ids_are_unique_and_every_reference_leads_somewhere(written: str, page: Page) -> None:
    ids = Counter(a["id"] for _, a in page.elements if "id" in a)
    assert [name for name, count in ids.items() if count > 1] == []
    linked = {a["href"][1:] for _, a in page.elements if a.get("href", "").startswith("#")}
    used = set(re.findall(r"url\(#([^)]+)\)", written))
    named = {n for _, a in page.elements for n in a.get("aria-labelledby", "").split()}
    assert linked | used | named <= set(ids)


def test_headings_descend_one_level_at_a_time(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_every_figure_states_its_finding_in_words(page: Page) -> None:
    figures = [a["aria-label"] for a in page.all("svg") if a.get("role") == "img"]
    assert len(figures) >= 12
    assert all(re.search(r"\d", alt) and len(alt) > 30 for alt in figures)


def test_the_table_prints_the_summaries(comparison: gc.Comparison, page: Page) -> None:
    for summary in comparison.summaries.values():
        for values in summary.point:
            for value in values:
                near = {number(float(value), decimals) for decimals in range(2, 7)}
                assert any(text in page.text for text in near), value


def test_a_page_without_provenance_names_seeds_and_data(
    comparison: gc.Comparison, page: Page
) -> None:
    assert comparison.sample.origin.sha256 in page.text
    for fit in comparison.fits.values():
        assert str(fit.seed) in page.text
    assert "Model card" not in page.text


@pytest.mark.usefixtures("unwritten_figures")
@pytest.mark.slow
def test_an_outcome_brings_card_command_and_versions(outcome: Outcome, tmp_path: Path) -> None:
    _, page = page_of(outcome, tmp_path)
    assert outcome.provenance.command in page.text
    assert outcome.provenance.card.title in page.text
    assert "mean_sd = 10.0" in page.text
    assert outcome.provenance.versions["numpy"] in page.text


def test_the_printed_card_is_the_card(outcome: Outcome, tmp_path: Path) -> None:
    card = outcome.provenance.card
    path = tmp_path / f"{card.name}.toml"
    path.write_text(card_text(card), encoding="utf-8")
    assert gc.load_card(path).model_dump() == card.model_dump()


@pytest.mark.usefixtures("unwritten_figures")
@pytest.mark.parametrize(
    ("verdict", "title"),
    [("agree", "agree"), ("disagree", "disagree"), ("inconclusive", "Inconclusive")],
)
def test_each_verdict_is_said_and_not_only_coloured(
    two: gc.Comparison, verdict: str, title: str, tmp_path: Path
) -> None:
    off = {"functional": "mu[1]", "rhat": 1.2, "limit": 1.01}
    reason = Reason(Code.HIGH_RHAT, off, engine="gibbs")
    pairs = tuple(replace(p, verdict=verdict, reasons=(reason,)) for p in two.pairs)
    text, page = page_of(replace(two, pairs=pairs), tmp_path)
    assert title in re.search(r"<title>(.*?)</title>", text, re.DOTALL)[1]  # type: ignore[index]
    assert f'class="verdict {verdict}"' in text
    assert "Gibbs: R-hat of the mean of component 1 is 1.200" in page.text


@pytest.mark.usefixtures("unwritten_figures")
def test_what_is_wrong_is_unfolded_and_what_is_right_is_folded(
    comparison: gc.Comparison, tmp_path: Path
) -> None:
    diverged = Reason(Code.DIVERGENCES, {"count": 3}, engine="gibbs_plain")
    pairs = (
        PairVerdict("em", "gibbs", "agree", (Reason(Code.NOTHING_VARIES),)),
        PairVerdict("gibbs", "gibbs_plain", "inconclusive", (diverged,)),
    )
    _, page = page_of(replace(comparison, pairs=pairs), tmp_path)
    folds = {a["id"]: "open" in a for a in page.all("details") if "id" in a}
    assert folds == {"engine-em": False, "engine-gibbs": False, "engine-gibbs_plain": True}


@pytest.mark.usefixtures("unwritten_figures")
def test_a_failed_status_unfolds_its_engine(two: gc.Comparison, tmp_path: Path) -> None:
    fits = {**two.fits, "em": replace(two.fits["em"], status="did not converge")}
    _, page = page_of(replace(two, fits=fits), tmp_path)
    assert "open" in next(a for a in page.all("details") if a.get("id") == "engine-em")
    assert "did not converge" in page.text


@pytest.mark.usefixtures("unwritten_figures")
def test_simulated_data_are_announced(two: gc.Comparison, page: Page, tmp_path: Path) -> None:
    origin = Origin("exoplanets-simulated", "drawn by a script", simulated=True)
    _, stand_in = page_of(replace(two, sample=replace(two.sample, origin=origin)), tmp_path)
    assert "Simulated stand-in." in stand_in.text
    assert "gmmcompare data fetch exoplanets " in stand_in.text
    assert "Simulated stand-in." not in page.text


def test_names_and_labels_are_escaped(two: gc.Comparison, tmp_path: Path) -> None:
    origin = Origin("<script>alert(1)</script>", label="<b>$x_1$ & y")
    text, page = page_of(replace(two, sample=replace(two.sample, origin=origin)), tmp_path)
    assert "<script>alert" not in text
    assert "<b>$" not in text
    assert "<b>$x_1$ & y" in page.text


@pytest.mark.parametrize("chosen", ["em", "gibbs"])
def test_one_engine_gives_a_page_as_well(fits: list[gc.Fit], chosen: str, tmp_path: Path) -> None:
    _, page = page_of(gc.compare([f for f in fits if f.engine == chosen]), tmp_path)
    assert "One engine only" in page.text
    assert "How sure are we?" not in page.text


@pytest.mark.slow
def test_one_component_has_no_labels_to_switch(sample: gc.Sample, tmp_path: Path) -> None:
    fits = [gc.fit(sample, name, components=1) for name in ("em", "gibbs")]
    _, page = page_of(gc.compare(fits), tmp_path)
    assert "labels" not in {a.get("id") for a in page.all("section")}
    assert "1 component ·" in page.text


@pytest.mark.slow
def test_infinite_sds_are_shown_as_such(
    fits: list[gc.Fit], sample: gc.Sample, tmp_path: Path
) -> None:
    def unbounded(y, K, priors, draws, warmup, chains, rng):  # type: ignore[no-untyped-def]
        w, mu, sigma = (np.array(a[:, :draws]) for a in fits[1].params)
        sigma[0, 0, 0] = np.inf
        return {"w": w, "mu": mu, "sigma": sigma}

    mine = gc.fit(sample, unbounded, components=2, name="mine", draws=300)
    _, page = page_of(gc.compare([fits[0], fits[1], mine], sample), tmp_path)
    assert "\N{INFINITY}" in page.text
    assert "which has no mean" in page.text
    assert "nan" not in page.text.lower().split()


def test_two_points_without_standard_errors(sample: gc.Sample, tmp_path: Path) -> None:
    def point(y, K, priors, draws, warmup, chains, rng):  # type: ignore[no-untyped-def]
        return {"w": np.array([0.5, 0.5]), "mu": np.array([0.0, 6.0]), "sigma": np.ones(2)}

    fits = [gc.fit(sample, "em", components=2), gc.fit(sample, point, components=2, name="mine")]
    _, page = page_of(gc.compare(fits), tmp_path)
    assert "lower in log-likelihood" in page.text
    assert "R-hat, ESS, MCSE" in page.text


@pytest.mark.slow
def test_differences_beyond_the_scale_are_arrows(comparison: gc.Comparison, tmp_path: Path) -> None:
    far = FunctionalResult("mu[1]", "location", 7.5, 0.1, 1e-9, 0.2, 7.7, False)
    pairs = (
        PairVerdict("gibbs", "gibbs_plain", "disagree", (Reason(Code.NOTHING_VARIES),), (far,)),
    )
    text, page = page_of(replace(comparison, pairs=pairs), tmp_path)
    assert 'class="beyond"' in text
    assert "+7.500" in page.text


@pytest.mark.slow
def test_four_chains_of_8000_draws_make_a_small_page_in_time(
    sample: gc.Sample, tmp_path: Path
) -> None:
    long = [
        gc.fit(sample, "em", components=3),
        gc.fit(sample, "gibbs", components=3, draws=8000),
        gc.fit(sample, "gibbs", components=3, draws=8000, seed=5),
    ]
    comparison = gc.compare([*long[:2], replace(long[2], engine="again")])
    started = time.process_time()
    path = gc.write_report(comparison, tmp_path / "index.html")
    assert time.process_time() - started < MOST_SECONDS
    assert path.stat().st_size < MOST_BYTES


@pytest.mark.usefixtures("unwritten_figures")
def test_an_unwritable_place_is_one_clear_error_and_leaves_nothing(
    comparison: gc.Comparison, tmp_path: Path
) -> None:
    (tmp_path / "index.html").mkdir()
    with pytest.raises(InputError, match=r"index\.html: cannot be written"):
        gc.write_report(comparison, tmp_path / "index.html")
    assert [p.name for p in tmp_path.iterdir()] == ["index.html"]


@pytest.mark.usefixtures("unwritten_figures")
def test_an_index_links_each_report(outcome: Outcome, tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b c"]
    outcomes = []
    for folder in folders:
        folder.mkdir()
        gc.write_report(outcome, folder / "index.html")
        outcomes.append(replace(outcome, folder=folder))
    page = Page(write_index(outcomes, tmp_path / "index.html").read_text(encoding="utf-8"))
    links = [a["href"] for a in page.all("a") if not a["href"].startswith("#")]
    assert links == ["a/index.html", "b%20c/index.html"]
    assert page.text.count(outcome.provenance.card.title) >= 2
    assert number(outcome.comparison.summaries["em"].log_lik, 2) in page.text

"""Small finished comparisons, made once."""

from __future__ import annotations

import numpy as np
import pytest
from markupsafe import Markup, escape

import gmmcompare as gc
from gmmcompare.fitting.requests import engine_requests
from gmmcompare.report.frame.canvas import Canvas, Panel
from gmmcompare.workflows.compare import compare_card
from gmmcompare.workflows.load import load
from gmmcompare.workflows.outcome import Outcome

DRAWS = 400


@pytest.fixture
def unwritten_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw figures, but do not write them as SVG, which takes most of a page's time.

    For tests of what the rest of a page says.
    """

    def panel(self: Canvas, alt: str) -> Panel:
        return Panel(Markup('<svg role="img" aria-label="{}"></svg>').format(escape(alt)), alt)

    monkeypatch.setattr(Canvas, "panel", panel)


@pytest.fixture(scope="session")
def sample() -> gc.Sample:
    """Return 150 observations of two components, rounded so that some repeat."""
    rng = np.random.default_rng(1)
    return gc.Sample.of(np.round(np.r_[rng.normal(0, 1, 100), rng.normal(6, 0.5, 50)], 2))


@pytest.fixture(scope="session")
def fits(sample: gc.Sample) -> list[gc.Fit]:
    """Return EM and two engines that draw."""
    few = {"draws": DRAWS, "warmup": 100}
    return [
        gc.fit(sample, "em", components=2),
        gc.fit(sample, "gibbs", components=2, **few),
        gc.fit(sample, "gibbs_plain", components=2, **few),
    ]


@pytest.fixture(scope="session")
def comparison(fits: list[gc.Fit], sample: gc.Sample) -> gc.Comparison:
    """Return the comparison of those fits."""
    return gc.compare(fits, sample)


@pytest.fixture(scope="session")
def two(fits: list[gc.Fit], sample: gc.Sample) -> gc.Comparison:
    """Return the comparison of EM and Gibbs only: half the figures."""
    return gc.compare(fits[:2], sample)


@pytest.fixture(scope="session")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return a finished run of a bundled card, with its provenance."""
    changes = ["mixture.components=2", f"engines.gibbs.draws={DRAWS}", "engines.em.starts=4"]
    card = gc.load_card("galaxies-k4", changes)
    return compare_card(
        card,
        load(card),
        engine_requests(["em", "gibbs"]),
        folder=tmp_path_factory.mktemp("galaxies"),
        command="gmmcompare compare galaxies-k4 --set mixture.components=2",
    )

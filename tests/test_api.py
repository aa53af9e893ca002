"""The verbs from Python: what they take, what they keep, and that nothing hides them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

import arviz as az
import numpy as np
import pytest
from ledger import Ledger

import gmmcompare as gc
from gmmcompare import api
from gmmcompare.runtime.errors import InputError

SAMPLE = gc.Sample.of(np.round(np.random.default_rng(1).normal(np.repeat([0.0, 6.0], 50)), 1))
FEW = {"draws": 50, "warmup": 20, "chains": 2}
CARD = """
title = "Small"
[data]
path = "small.csv"
[mixture]
components = 2
[priors]
weight_concentration = 1.0
mean_loc = 0.0
mean_sd = 10.0
var_shape = 2.0
var_scale = 1.0
[engines.gibbs]
draws = 50
warmup = 20
chains = 2
[engines.nuts]
draws = 30
warmup = 50
chains = 2
"""


@pytest.fixture
def card(tmp_path: Path) -> Path:
    (tmp_path / "small.csv").write_text("x\n" + "\n".join(map(str, SAMPLE.y)) + "\n")
    path = tmp_path / "small.toml"
    path.write_text(CARD)
    return path


def sweep(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
    return w, mu + 0.01 * rng.standard_normal(mu.shape), sigma


def test_verbs_are_functions_whatever_was_imported_before() -> None:
    for module in pkgutil.walk_packages(gc.__path__, "gmmcompare."):
        # A script that runs, and scripts of cells that do.
        if module.name.split(".")[1] != "__main__" and ".notebooks" not in module.name:
            importlib.import_module(module.name)
    for verb in api.__all__:
        assert inspect.isfunction(getattr(gc, verb)), verb
        assert getattr(gc, verb) is getattr(api, verb)
    assert set(api.__all__) <= set(gc.__all__)
    for name in gc.__all__:
        assert not inspect.ismodule(getattr(gc, name)), name


class TestFit:
    def test_data_without_a_card_need_components(self) -> None:
        fit = gc.fit(SAMPLE, "gibbs", components=2, seed=3, **FEW)
        assert fit.params.w.shape == (2, 50, 2)
        assert fit.sample == SAMPLE
        with pytest.raises(InputError, match="give components"):
            gc.fit(SAMPLE, "gibbs")

    def test_a_card_has_its_own_components_and_priors(self, card: Path) -> None:
        fit = gc.fit(card, "gibbs")
        again = gc.fit(gc.load_card(card), "gibbs", **FEW)
        np.testing.assert_array_equal(fit.params.mu, again.params.mu)
        with pytest.raises(InputError, match="a card has its own components and priors"):
            gc.fit(card, components=3)
        with pytest.raises(InputError, match="a card has its own"):
            gc.fit(card, priors=gc.Priors())

    def test_seed_and_settings_replace_the_cards(self, card: Path) -> None:
        fit = gc.fit(card, "gibbs", seed=9, draws=70)
        assert fit.params.w.shape == (2, 70, 2)
        assert fit.seed != gc.fit(card, "gibbs").seed
        with pytest.raises(InputError, match=r"engines\.gibbs\.drws"):
            gc.fit(card, "gibbs", drws=70)

    def test_a_function_is_an_engine_with_custom_settings(self) -> None:
        fit = gc.fit(SAMPLE, sweep, components=2, name="mine", **FEW)
        assert (fit.engine, fit.params.w.shape) == ("mine", (2, 50, 2))

    def test_nothing_is_kept_without_a_folder(self, card: Path, own_cache: Path) -> None:
        gc.fit(card, "gibbs")
        assert not own_cache.exists()
        assert sorted(p.name for p in card.parent.iterdir()) == ["small.csv", "small.toml"]

    def test_a_folder_receives_the_fit_and_the_cache_lends_it_to_another(
        self, card: Path, own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fit = gc.fit(card, "gibbs", folder=tmp_path / "a")
        assert gc.load_fit(tmp_path / "a" / "fits" / "gibbs.nc") == fit
        assert (own_cache / "fits" / f"{fit.key}.nc").is_file()

        def never(*_: object) -> None:
            raise AssertionError("it was fitted before")

        monkeypatch.setattr("gmmcompare.engines.gibbs.engine.GibbsEngine.run", never)
        assert gc.fit(card, "gibbs", folder=tmp_path / "b") == fit
        assert gc.load_fit(tmp_path / "b" / "fits" / "gibbs.nc") == fit
        with pytest.raises(AssertionError, match="fitted before"):
            gc.fit(card, "gibbs")


@pytest.mark.slow
def test_compare_and_write_report(card: Path, tmp_path: Path) -> None:
    comparison = gc.compare([gc.fit(card, name) for name in ("em", "gibbs")])
    assert comparison.verdict in ("agree", "disagree", "inconclusive")
    page = gc.write_report(comparison, tmp_path / "page.html")
    assert "<html" in page.read_text()
    of_others = gc.fit(gc.Sample.of([1.0, 2.0, 4.0]), "gibbs", components=2, **FEW)
    with pytest.raises(InputError, match="data"):
        gc.compare([comparison.fits["em"], of_others])


class TestValidate:
    def test_data_without_a_card_are_refused(self) -> None:
        for wrong in ({"posterior_sbc": True}, {"sample": SAMPLE}):
            with pytest.raises(InputError, match="needs a card"):
                gc.validate("gibbs", **wrong)

    @pytest.mark.slow
    def test_nuts_is_fitted_to_the_cards_data_and_kept_with_out(
        self, card: Path, tmp_path: Path, own_cache: Path
    ) -> None:
        """A kernel that never moves fails at once; NUTS has been fitted before."""
        found = gc.validate(
            lambda w, mu, sigma, y, priors, rng: (w, mu, sigma), card=card, quick=True, jobs=1,
            out=tmp_path / "out",
        )  # fmt: skip
        assert found.verdict == "failed"
        fit = gc.load_fit(tmp_path / "out" / "fits" / "nuts.nc")
        assert fit.sample == SAMPLE
        assert (own_cache / "fits" / f"{fit.key}.nc").is_file()
        assert (tmp_path / "out" / "validation.json").is_file()


def test_select_takes_a_card_or_data(card: Path, own_cache: Path, tmp_path: Path) -> None:
    found = gc.select(card, [1, 2], engines=["gibbs"], seed=5)
    assert found.components == (1, 2)
    assert not own_cache.exists()
    with pytest.raises(InputError, match="a card has its own priors"):
        gc.select(card, priors=gc.Priors())
    priors, out = gc.Priors(1.0, 0.0, 10.0, 2.0, 1.0), tmp_path / "out"
    gc.select(SAMPLE, "1-2", priors=priors, engines=["gibbs"], folder=out)
    assert (out / "selection.json").is_file()
    kept = gc.load_fit(out / "k2" / "fits" / "gibbs.nc")
    assert (own_cache / "fits" / f"{kept.key}.nc").is_file()


@pytest.mark.slow
def test_sensitivity_reuses_fits_unless_they_must_be_fresh(
    card: Path, own_cache: Path, tmp_path: Path
) -> None:
    for folder, fresh in (("a", False), ("b", False), ("c", True)):
        ledger = Ledger()
        gc.sensitivity(card, folder=tmp_path / folder, fresh=fresh, progress=ledger)
        # EM, the card's fit, ten changes
        assert (len(ledger.begun), len(ledger.reused)) == ((0, 12) if folder == "b" else (12, 0))
        assert (tmp_path / folder / "sensitivity.json").is_file()
        assert (tmp_path / folder / "mean_sd-halved" / "fits" / "gibbs.nc").is_file()
    assert len(list((own_cache / "fits").glob("*.nc"))) == 12


@pytest.mark.slow
def test_arviz_summarises_a_fit_as_it_should(tmp_path: Path) -> None:
    """Chains number components differently; ArviZ takes ``posterior`` as it is.

    R-hat was 2.1 and the ESS 5 for a sampler that had converged.
    """
    rng = np.random.default_rng(1)
    y = np.concatenate([rng.normal(-3, 1, 60), rng.normal(3, 1, 40)])
    sample, priors = gc.Sample.of(y), gc.Priors(1, 0, 10, 2, 2)
    fit = gc.fit(sample, "gibbs", components=2, priors=priors, draws=1000, folder=tmp_path)
    raw = az.summary(fit.tree, group="posterior_raw", round_to="none")
    assert raw["r_hat"].max() > 1.5  # else this test could not fail
    kept = gc.load_fit(tmp_path / "fits" / "gibbs.nc")
    for tree in (fit.tree, kept.tree):
        summary = az.summary(tree, round_to="none")
        assert summary["r_hat"].max() < 1.02
        assert summary["ess_bulk"].min() > 400
        assert abs(summary.loc["mu[0]", "mean"] + 3) < 1
        assert abs(summary.loc["mu[1]", "mean"] - 3) < 1
    np.testing.assert_allclose(fit.point.mu, summary.loc[["mu[0]", "mu[1]"], "mean"])
    em = gc.fit(sample, "em", components=2, priors=priors)
    assert gc.compare([em, fit]).verdict in ("agree", "inconclusive")

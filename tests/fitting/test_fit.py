"""`Fit`: what its tree holds, that it survives the disk, and damaged files."""

from __future__ import annotations

import os
from dataclasses import replace
from types import MappingProxyType

import arviz as az
import numpy as np
import pytest
import xarray as xr

from gmmcompare.engines.base import Draws, Engine, Point, Problem, Seconds, no_progress
from gmmcompare.engines.em.engine import EmEngine
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.fitting.fit import Fit, build_fit, load_fit
from gmmcompare.model import mixture
from gmmcompare.model.card import EmSettings, GibbsSettings
from gmmcompare.model.compiled import score
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError

PROBLEM = Problem(
    Sample.of(np.round(np.random.default_rng(1).normal(np.repeat([0.0, 6.0], [150, 40])), 1)),
    2,
    Priors([1.0, 2.0], 0.5, 3.0, 3.0, 1.0),
)


def fitted(engine: Engine, key: str = "") -> Fit:
    return build_fit(engine, PROBLEM, 7, engine.run(PROBLEM, 7, no_progress), key)


@pytest.fixture(scope="module")
def draws() -> Fit:
    settings = GibbsSettings(chains=2, warmup=20, draws=600, keep_allocations=100)
    return fitted(GibbsEngine(settings), "a key")


@pytest.fixture(scope="module")
def point() -> Fit:
    return fitted(EmEngine(EmSettings(starts=6)))


def test_draws_are_scored_by_our_own_functions(draws):
    assert (draws.kind, draws.engine, draws.seed, draws.K) == ("draws", "gibbs", 7, 2)
    assert draws.params.w.shape == (2, 600, 2)
    assert draws.tree["posterior"]["mu"].dims == ("chain", "draw", "component")
    log_lik = mixture.log_likelihood(PROBLEM.sample, draws.params)
    np.testing.assert_allclose(draws.stat("log_lik"), log_lik, rtol=1e-12)
    lp = log_lik + PROBLEM.priors.log_density(draws.params)
    np.testing.assert_allclose(draws.stat("lp"), lp, rtol=1e-12)
    scores = score(PROBLEM.sample, draws.params)
    np.testing.assert_array_equal(draws.stat("prob_empty"), scores.prob_empty)
    np.testing.assert_array_equal(draws.stat("prob_small"), scores.prob_small)
    assert draws.stat("n_k").sum(axis=-1).tolist() == np.full((2, 600), 190).tolist()
    assert draws.tree["sample_stats"]["n_k"].dims == ("chain", "draw", "component")
    assert draws.has_stat("n_k")
    assert not draws.has_stat("diverging")
    np.testing.assert_array_equal(draws.tree["observed_data"]["values"], PROBLEM.sample.values)
    np.testing.assert_array_equal(draws.tree["observed_data"]["counts"], PROBLEM.sample.counts)
    assert draws.extra("allocations").shape == (2, 6, 190)
    assert draws.has_extra("modal_allocation")
    assert not draws.has_extra("objective_path")
    assert draws.solutions == ()
    assert draws.standard_errors is None
    np.testing.assert_allclose(draws.point.mu, draws.params.mu.mean(axis=(0, 1)))


def test_shown_in_one_line(draws, point):
    chains, n = draws.params.w.shape[:2]
    assert f"{chains} chains of {n:,} draws" in repr(draws)
    assert "a point" in repr(point)
    assert max(map(len, (repr(draws), repr(point)))) < 100


def test_a_point_is_one_chain_of_one_draw(point):
    assert (point.kind, point.status, point.K) == ("point", "ok", 2)
    assert point.params.w.shape == (1, 1, 2)
    assert point.point.w.shape == (2,)
    assert point.stat("log_lik").shape == (1, 1)
    errors = point.standard_errors
    assert errors is not None
    assert all(a.shape == (2,) for a in errors)
    best = point.solutions[0]
    np.testing.assert_array_equal(best.mu, point.point.mu)
    assert point.extra("aic").shape == ()
    assert point.notes[0].endswith("starts converged")


@pytest.mark.parametrize("name", ["draws", "point"])
def test_a_loaded_fit_equals_the_saved_one(name, request, tmp_path):
    fit = request.getfixturevalue(name)
    path = fit.save(tmp_path / "deep" / "er" / "fit.nc")
    loaded = load_fit(path)
    assert loaded == fit
    assert (loaded.key, loaded.notes, loaded.seconds) == (fit.key, fit.notes, fit.seconds)
    for group in fit.tree.children:
        for variable in fit.tree[group].data_vars:
            saved, found = fit.tree[group][variable], loaded.tree[group][variable]
            np.testing.assert_array_equal(found.values, saved.values)
            assert found.dims == saved.dims
    assert os.listdir(path.parent) == ["fit.nc"]
    # Nothing of the file stays open: it can be written again, and saving it changes nothing.
    assert load_fit(loaded.save(path)) == fit


def test_fits_that_differ_are_not_equal(draws, tmp_path):
    other = draws.with_aligned(draws.params)
    assert other != draws
    assert draws != "fit"
    moved = Params(draws.params.w, draws.params.mu + 1e-9, draws.params.sigma)
    assert draws.with_aligned(moved) != other
    assert load_fit(other.save(tmp_path / "a.nc")) == other


def test_aligned_draws_are_added_and_the_fit_left_alone(draws):
    turned = Params(*(a[..., ::-1] for a in draws.params))
    aligned = draws.with_aligned(turned)
    np.testing.assert_array_equal(aligned.tree["posterior"]["sigma"], turned.sigma)
    np.testing.assert_array_equal(aligned.tree["posterior_raw"]["sigma"], draws.params.sigma)
    np.testing.assert_array_equal(aligned.params.sigma, draws.params.sigma)
    np.testing.assert_allclose(aligned.point.mu, draws.point.mu[::-1])
    assert "posterior_raw" not in draws.tree.children
    assert aligned.key == draws.key
    assert aligned.tree["posterior"].attrs == draws.tree["posterior"].attrs
    again = aligned.with_aligned(draws.params)
    np.testing.assert_array_equal(again.tree["posterior"]["sigma"], draws.params.sigma)
    np.testing.assert_array_equal(again.params.sigma, draws.params.sigma)


def test_files_of_the_first_version_still_load(draws, tmp_path):
    """They have the engine's draws in ``posterior`` and the aligned ones in ``aligned``."""
    turned = Params(*(a[..., ::-1] for a in draws.params))
    tree = draws.tree.copy()
    dims = ("chain", "draw", "component")
    tree["aligned"] = xr.DataTree(
        xr.Dataset({n: (dims, a) for n, a in turned._asdict().items()}).assign_coords(
            draws.tree["posterior"].to_dataset().coords
        )
    )
    replace(draws, tree=tree).save(tmp_path / "old.nc")
    loaded = load_fit(tmp_path / "old.nc")
    assert loaded == draws.with_aligned(turned)


def test_arviz_reads_a_loaded_fit(draws, tmp_path):
    tree = load_fit(draws.save(tmp_path / "gibbs.nc")).tree
    table = az.summary(tree, round_to="none")
    assert set(table.index) == {f"{name}[{k}]" for name in ("w", "mu", "sigma") for k in range(2)}
    np.testing.assert_allclose(table.loc["mu[1]", "mean"], draws.params.mu[..., 1].mean())
    read = xr.open_datatree(tmp_path / "gibbs.nc", engine="h5netcdf")
    assert "posterior" in read.children
    read.close()


class Named:
    """An engine of which only the name matters."""

    name = "own"
    settings = MappingProxyType({})

    def run(self, problem, seed, progress):
        raise NotImplementedError


def test_anything_an_engine_keeps_comes_back(tmp_path):
    params = Params(*(np.full((1, 5, 2), v) for v in (0.5, 1.0, 2.0)))
    kept = {
        "words": np.array(["ordered", "none", "zähe µ"]),
        "word": np.array("nutpie"),
        "yes": np.array([True, False]),
        "bytes": np.arange(4, dtype=np.int8).reshape(2, 2),
        "large": np.arange(5000.0).reshape(50, 100),
        "nothing": np.empty((0, 3)),
        "infinite": np.array([np.inf, np.nan, -0.0]),
    }
    stats = {"diverging": np.zeros((1, 5), dtype=bool), "mass": np.ones((1, 5, 3))}
    fit = build_fit(Named(), PROBLEM, 1, Draws(params, Seconds(0.5, 2.0), stats, kept))
    loaded = load_fit(fit.save(tmp_path / "own.nc"))
    assert loaded == fit
    for name, array in kept.items():
        np.testing.assert_array_equal(loaded.extra(name), array)
    assert loaded.stat("mass").shape == (1, 5, 3)
    assert loaded.stat("diverging").dtype == bool
    assert loaded.seconds == Seconds(0.5, 2.0)
    with pytest.raises(KeyError):
        loaded.extra("nowhere")


def test_a_point_without_errors_or_solutions(tmp_path):
    status = "stuck: “so”"
    result = Point(Params.of([0.4, 0.6], [0.0, 3.0], [1.0, 0.2]), Seconds(0, 1), status=status)
    fit = build_fit(Named(), PROBLEM, 1, result)
    loaded = load_fit(fit.save(tmp_path / "own.nc"))
    assert loaded == fit
    assert loaded.status == status
    assert loaded.standard_errors is None
    assert loaded.solutions == ()


def test_infinite_sds_are_kept(tmp_path):
    sigma = np.array([[[1.0, np.inf]]])
    params = Params(np.array([[[1.0, 0.0]]]), np.zeros((1, 1, 2)), sigma)
    fit = build_fit(Named(), PROBLEM, 1, Draws(params, Seconds(0, 0)))
    assert fit.stat("lp") == -np.inf
    assert fit.stat("prob_empty") == pytest.approx(1.0)
    assert load_fit(fit.save(tmp_path / "own.nc")) == fit


def test_a_file_cut_short_anywhere_is_noticed(draws, tmp_path):
    whole = draws.save(tmp_path / "fit.nc").read_bytes()
    damaged = tmp_path / "damaged.nc"
    for length in [0, 1, 7, 8, 100, *np.linspace(200, len(whole) - 1, 25).astype(int)]:
        damaged.write_bytes(whole[:length])
        with pytest.raises(
            InputError, match=r"is damaged or is not a fit .*delete it and fit again"
        ):
            load_fit(damaged)


@pytest.mark.slow
def test_a_file_with_a_changed_byte_is_noticed(draws, tmp_path):
    """At any place that holds numbers: they are what a comparison rests on."""
    path = draws.save(tmp_path / "fit.nc")
    whole = path.read_bytes()
    damaged = tmp_path / "damaged.nc"
    rng = np.random.default_rng(1)
    noticed = 0
    for place in rng.choice(len(whole), 30, replace=False):
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        try:
            assert load_fit(damaged) == draws  # a byte that means nothing
        except InputError:
            noticed += 1
    assert noticed > 5


def test_other_files_are_not_fits(draws, tmp_path):
    text = tmp_path / "text.nc"
    text.write_text("w,mu,sigma\n")
    foreign = tmp_path / "foreign.nc"
    xr.DataTree.from_dict({"posterior": draws.tree["posterior"].to_dataset()}).to_netcdf(
        foreign, engine="h5netcdf"
    )
    for path in (text, foreign):
        with pytest.raises(InputError, match="is not a fit of gmmcompare"):
            load_fit(path)
    for path in (tmp_path / "none.nc", tmp_path):
        with pytest.raises(InputError, match="no such file; a fit is written by"):
            load_fit(path)


def test_nothing_is_half_written(draws, tmp_path, monkeypatch):
    path = tmp_path / "fit.nc"
    draws.save(path)
    before = path.read_bytes()
    with path.open("rb") as reader:  # who reads the old file reads all of it
        draws.with_aligned(draws.params).save(path)
        assert reader.read() == before
    before = path.read_bytes()
    write = xr.DataTree.to_netcdf

    def interrupted(tree, to, **options):
        write(tree, to, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(xr.DataTree, "to_netcdf", interrupted)
    with pytest.raises(KeyboardInterrupt):
        draws.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["fit.nc"]


def test_a_folder_that_cannot_be_written_is_explained(draws, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(
        InputError, match=r"fit\.nc: cannot be written: (Not a directory|File exists)"
    ):
        draws.save(blocked / "fit.nc")
    (tmp_path / "taken.nc").mkdir()
    with pytest.raises(InputError, match=r"taken\.nc: cannot be written: Is a directory"):
        draws.save(tmp_path / "taken.nc")
    assert sorted(os.listdir(tmp_path)) == ["file", "taken.nc"]

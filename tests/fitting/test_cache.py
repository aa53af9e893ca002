"""One folder of fits by key: what is found, what is not, damage, size, and links to it."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gmmcompare.engines.base import Problem, no_progress
from gmmcompare.engines.em.engine import EmEngine
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.fitting import cache as caches
from gmmcompare.fitting.cache import NOTHING_KEPT, FitCache, fit_key, user_cache
from gmmcompare.fitting.fit import Fit, build_fit, key_in, load_fit
from gmmcompare.model.card import EmSettings, GibbsSettings
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample

SAMPLE = Sample.of(np.round(np.random.default_rng(1).normal(np.repeat([0.0, 6.0], 60)), 1))
PROBLEM = Problem(SAMPLE, 2, Priors(1.0, 0.0, 5.0, 2.0, 1.0).expanded(2))
KEY, OTHER = "a" * 64, "b" * 64


@pytest.fixture(scope="module")
def fit() -> Fit:
    engine = GibbsEngine(GibbsSettings(chains=2, warmup=10, draws=50))
    return build_fit(engine, PROBLEM, 7, engine.run(PROBLEM, 7, no_progress), KEY)


@pytest.fixture
def cache(tmp_path: Path) -> FitCache:
    return FitCache(tmp_path / "cache")


def test_a_key_depends_on_all_that_a_fit_depends_on() -> None:
    engine = EmEngine(EmSettings())
    start = Params.of([0.5, 0.5], [0.0, 6.0], [1.0, 1.0])
    keys = [
        fit_key(PROBLEM, engine, 1),
        fit_key(PROBLEM, engine, 2),
        fit_key(PROBLEM, engine, 1, "starts"),
        fit_key(PROBLEM, EmEngine(EmSettings(starts=3)), 1),
        fit_key(PROBLEM, GibbsEngine(GibbsSettings()), 1),
        fit_key(replace(PROBLEM, K=3), engine, 1),
        fit_key(replace(PROBLEM, priors=Priors().expanded(2)), engine, 1),
        fit_key(replace(PROBLEM, sample=Sample.of([1.0, 2.0])), engine, 1),
    ]
    assert len(set(keys)) == len(keys)
    assert fit_key(PROBLEM, EmEngine(EmSettings()), 1) == keys[0]
    # Starts are known by the key of the fit that they come from.
    assert fit_key(replace(PROBLEM, starts=(start,)), engine, 1) == keys[0]


def test_a_key_depends_on_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fit_key(PROBLEM, EmEngine(EmSettings()), 1)
    monkeypatch.setattr(caches, "__version__", "next")
    assert fit_key(PROBLEM, EmEngine(EmSettings()), 1) != before


def test_what_is_put_is_found_by_its_key_alone(cache: FitCache, fit: Fit, tmp_path: Path) -> None:
    assert cache.get(KEY) is None
    cache.put(fit)
    assert cache.get(KEY) == fit
    assert cache.get(OTHER) is None
    assert FitCache(tmp_path / "cache").get(KEY) == fit
    assert os.listdir(tmp_path / "cache") == [f"{KEY}.nc"]


def test_a_fresh_run_takes_nothing_and_keeps_what_it_fits(
    cache: FitCache, fit: Fit, tmp_path: Path
) -> None:
    cache.put(fit)
    fresh = FitCache(tmp_path / "cache", fresh=True)
    assert fresh.get(KEY) is None
    newer = replace(fit, notes=("newer",))
    fresh.put(newer)
    assert cache.get(KEY) == newer


@pytest.mark.parametrize("damage", ["cut", "foreign", "of another key"])
def test_damage_is_one_warning_and_no_fit(
    cache: FitCache, fit: Fit, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    cache.put(fit)
    path = tmp_path / "cache" / f"{KEY}.nc"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:2000])
    elif damage == "foreign":
        path.write_text("no fit")
    else:
        replace(fit, key=OTHER).save(path)
    with caplog.at_level(logging.WARNING, logger="gmmcompare"):
        assert cache.get(KEY) is None
    (record,) = caplog.records
    assert str(path) in record.getMessage()
    assert "fitting again" in record.getMessage()


def test_the_fits_unused_for_longest_are_dropped(fit: Fit, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    keys = [letter * 64 for letter in "abcd"]
    roomy = FitCache(folder)
    for age, key in zip((40, 30, 20), keys, strict=False):
        roomy.put(replace(fit, key=key))
        path = folder / f"{key}.nc"
        used = path.stat().st_mtime - age
        os.utime(path, (used, used))
    size = (folder / f"{keys[0]}.nc").stat().st_size
    written = (folder / f"{keys[0]}.nc").stat().st_mtime_ns
    assert roomy.get(keys[0]) is not None  # now the second is the oldest in use
    assert (folder / f"{keys[0]}.nc").stat().st_mtime_ns == written
    FitCache(folder, most_bytes=int(3.5 * size)).put(replace(fit, key=keys[3]))
    assert {path.stem for path in folder.iterdir()} == {keys[0], keys[2], keys[3]}


def test_the_newest_is_kept_however_large(fit: Fit, tmp_path: Path) -> None:
    small = FitCache(tmp_path, most_bytes=1)
    small.put(replace(fit, key=OTHER))
    small.put(fit)
    assert [path.stem for path in tmp_path.iterdir()] == [KEY]


class TestDeliver:
    def test_a_kept_fit_is_linked_and_a_rewritten_link_leaves_the_cache_alone(
        self, cache: FitCache, fit: Fit, tmp_path: Path
    ) -> None:
        cache.put(fit)
        out = tmp_path / "out" / "fits" / "gibbs.nc"
        cache.deliver(fit, out)
        assert out.samefile(tmp_path / "cache" / f"{KEY}.nc")
        aligned = fit.with_aligned(fit.params)
        aligned.save(out)
        assert cache.get(KEY) == fit
        cache.deliver(fit, out)  # it has this key: aligned draws stay
        assert load_fit(out) == aligned

    @pytest.mark.parametrize("there", ["another fit", "damaged"])
    def test_what_is_not_this_fit_is_replaced(
        self, cache: FitCache, fit: Fit, tmp_path: Path, there: str
    ) -> None:
        cache.put(fit)
        out = tmp_path / "gibbs.nc"
        replace(fit, key=OTHER).save(out)
        if there == "damaged":
            out.write_bytes(out.read_bytes()[:1000])
        cache.deliver(fit, out)
        assert load_fit(out) == fit

    def test_without_a_cache_or_a_link_the_fit_is_written(
        self, cache: FitCache, fit: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        NOTHING_KEPT.deliver(fit, tmp_path / "a.nc")
        assert load_fit(tmp_path / "a.nc") == fit

        def refuse(*_: object) -> None:
            raise OSError("another disk")

        cache.put(fit)
        monkeypatch.setattr(Path, "hardlink_to", refuse)
        cache.deliver(fit, tmp_path / "b.nc")
        assert load_fit(tmp_path / "b.nc") == fit
        assert not (tmp_path / "b.nc").samefile(tmp_path / "cache" / f"{KEY}.nc")
        assert sorted(os.listdir(tmp_path)) == ["a.nc", "b.nc", "cache"]


def test_where_the_cache_cannot_be_written_work_goes_on(
    fit: Fit, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    cache = FitCache(tmp_path / "file" / "cache")
    with caplog.at_level(logging.WARNING, logger="gmmcompare"):
        cache.put(fit)
        assert cache.checkpoint(KEY).path is None
        cache.put(fit)
    assert cache.get(KEY) is None
    (record,) = caplog.records
    assert "cannot be written" in record.getMessage()
    assert "GMMCOMPARE_CACHE" in record.getMessage()
    cache.deliver(fit, tmp_path / "out.nc")
    assert load_fit(tmp_path / "out.nc") == fit


def test_nothing_is_kept_without_a_folder(fit: Fit) -> None:
    NOTHING_KEPT.put(fit)
    assert NOTHING_KEPT.get(KEY) is None
    assert NOTHING_KEPT.checkpoint(KEY).path is None


def test_checkpoints_lie_beside_the_fit_and_a_fresh_run_drops_them(tmp_path: Path) -> None:
    checkpoint = FitCache(tmp_path).checkpoint(KEY)
    assert checkpoint.path == tmp_path / f"{KEY}.checkpoint.npz"
    checkpoint.path.write_text("")
    FitCache(tmp_path, fresh=True).checkpoint(KEY)
    assert not checkpoint.path.exists()


def test_the_users_cache_is_where_the_variable_says(own_cache: Path, fit: Fit) -> None:
    user_cache().put(fit)
    assert key_in(own_cache / "fits" / f"{KEY}.nc") == KEY
    assert user_cache(fresh=True).get(KEY) is None


def test_a_key_is_read_from_a_fit_alone(fit: Fit, tmp_path: Path) -> None:
    assert key_in(fit.save(tmp_path / "fit.nc")) == KEY
    (tmp_path / "text.nc").write_text("no")
    assert key_in(tmp_path / "text.nc") is None
    assert key_in(tmp_path / "none.nc") is None

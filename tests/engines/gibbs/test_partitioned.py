"""The Gibbs sampler over partitions makes the draws of the plain algorithm, wherever they are."""

from __future__ import annotations

import os

import numpy as np
import pytest
from partitioned import values, write_parquet

from gmmcompare.data.partitions import pieces
from gmmcompare.data.partitions.grid import PartitionedSample
from gmmcompare.data.partitions.pieces import PartitionedFiles
from gmmcompare.engines import checkpoint
from gmmcompare.engines.base import Problem, no_progress, out_of_unit
from gmmcompare.engines.checkpoint import Checkpoint
from gmmcompare.engines.gibbs import partitioned as gibbs_partitioned
from gmmcompare.engines.gibbs.partitioned import PartitionedGibbsEngine, stream
from gmmcompare.engines.gibbs.plain import draw_allocations, draw_parameters
from gmmcompare.engines.starts import start_point
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import InputError
from gmmcompare.workflows.partitions import open_partitions

PRIORS = Priors([1.0, 2.0, 0.5], 0.5, [3.0, 30.0, 5.0], 1e-4, 1e-4)
SETTINGS = GibbsSettings(chains=2, warmup=5, draws=20)


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Eleven partitions of two files, of about 1,100 values with ties."""
    return write_parquet(tmp_path_factory.mktemp("stars"), values(12_000), 2, rows_per_group=600)


@pytest.fixture
def sample(pattern: str, monkeypatch: pytest.MonkeyPatch) -> PartitionedSample:
    monkeypatch.setattr(pieces, "PARTITION_ROWS", 1200)
    return open_partitions(PartitionedFiles.find(pattern), 3)


def run(sample: PartitionedSample, seed: int = 3, settings: GibbsSettings = SETTINGS) -> Params:
    engine = PartitionedGibbsEngine(settings)
    return engine.run(Problem(sample, 3, PRIORS), seed, no_progress).params


def assert_equal(a: Params, b: Params) -> None:
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)


def observations(layout, index):
    return layout.observations()


@pytest.mark.parametrize("start", ["overdispersed", "lecture"])
def test_a_run_is_the_plain_algorithm_with_a_stream_for_each_partition(sample, start):
    settings = SETTINGS.model_copy(update={"start": start})
    unit = sample.unit
    parts = [v * unit.scale + unit.shift for v in sample.partitions.collect(observations)]
    assert len(parts) == 10
    y = np.concatenate(parts)
    sketch = Problem(
        unit.apply(sample.summary.sketch), 3, PRIORS.transformed(unit.shift, unit.scale)
    )
    draws = []
    for chain in range(2):
        rng = np.random.default_rng(np.random.SeedSequence(3, spawn_key=(chain,)))
        here = out_of_unit(start_point(start, sketch, rng, unit.scale), unit)
        for sweep in range(25):
            z = [
                draw_allocations(*here, part, stream(3, chain, sweep, i).random(part.size))
                for i, part in enumerate(parts)
            ]
            own = stream(3, chain, sweep, None)
            here = draw_parameters(np.concatenate(z), here.sigma, y, PRIORS, own)
            draws.append(here)
    expected = Params(*(np.reshape(a, (2, 25, 3))[:, 5:] for a in zip(*draws, strict=True)))
    found = run(sample, settings=settings)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10)


def test_draws_depend_on_the_seed_alone(sample, monkeypatch):
    once = run(sample)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(gibbs_partitioned, "BLOCK", 500)
    assert_equal(run(sample), once)
    other = run(sample, seed=4)
    assert not np.isin(other.mu, once.mu).any()
    assert not np.isin(once.mu[0], once.mu[1]).any()


def test_streams_differ_in_every_part_of_their_key():
    keys = [(1, 0, 0, 0), (2, 0, 0, 0), (1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 1), (1, 0, 0, None)]
    assert len({stream(*key).random() for key in keys}) == len(keys)


@pytest.mark.parametrize("after", [3, 12])
def test_an_interrupted_run_goes_on_with_the_same_draws(sample, tmp_path, after, caplog):
    """In warmup, and among the draws."""
    whole = run(sample)

    def interrupt(fraction: float) -> None:
        if fraction >= after / 25:
            raise KeyboardInterrupt

    path = tmp_path / "gibbs.checkpoint.npz"

    def engine() -> PartitionedGibbsEngine:
        return PartitionedGibbsEngine(SETTINGS).resuming(Checkpoint(path, "key", every=0.0))

    problem = Problem(sample, 3, PRIORS)
    with pytest.raises(KeyboardInterrupt):
        engine().run(problem, 3, interrupt)
    assert path.is_file()
    fractions: list[float] = []
    assert_equal(engine().run(problem, 3, fractions.append).params, whole)
    assert fractions[0] == (after + 1) / 25
    assert f"going on from {path}" in caplog.text
    assert not path.exists()


def test_a_checkpoint_of_another_run_or_a_damaged_one_is_not_used(sample, tmp_path, caplog):
    path = tmp_path / "gibbs.checkpoint.npz"
    Checkpoint(path, "another", every=0.0).save({"w": np.ones(3)})
    assert Checkpoint(path, "key").load() is None
    assert Checkpoint(path, "another").load() is not None
    path.write_bytes(path.read_bytes()[:100])
    assert Checkpoint(path, "another").load() is None
    assert "damaged" in caplog.text


def test_checkpoints_are_seconds_apart(tmp_path, monkeypatch):
    clock = iter([0.0, 1.0, 4.9, 5.1, 5.2, 6.0, 11.0, 11.0])
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: next(clock))
    kept = Checkpoint(tmp_path / "run.npz", "key")
    written = []
    for i in range(5):
        kept.save({"i": np.array(i)})
        written.append(int(np.load(kept.path)["i"]) if kept.path.exists() else None)
    assert written == [None, None, 2, 2, 4]


def test_allocations_cannot_be_kept(sample):
    with pytest.raises(InputError, match="keep_allocations"):
        run(sample, settings=SETTINGS.model_copy(update={"keep_allocations": 1}))

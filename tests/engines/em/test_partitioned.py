"""EM over partitions ends where EM on all the data ends, by the same steps."""

from __future__ import annotations

import numpy as np
import pytest
from partitioned import values, write_parquet

from gmmcompare.data.partitions import pieces
from gmmcompare.data.partitions.grid import PartitionedSample
from gmmcompare.data.partitions.pieces import PartitionedFiles
from gmmcompare.engines.base import Problem, no_progress
from gmmcompare.engines.checkpoint import Checkpoint
from gmmcompare.engines.em.engine import EmEngine
from gmmcompare.engines.em.partitioned import PartitionedEmEngine
from gmmcompare.model import mixture
from gmmcompare.model.card import EmSettings
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.workflows.partitions import open_partitions

PRIORS = Priors(2.0, 0.5, 3.0, 2.0, 0.5)
Y = values(12_000)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> PartitionedSample:
    """Ten partitions of about 1,200 values with ties."""
    pattern = write_parquet(tmp_path_factory.mktemp("stars"), Y, 2, rows_per_group=600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PARTITION_ROWS", 1200)
        # A coarse sketch, so that climbs over all data have some way to go.
        patch.setattr(pieces, "SKETCH_POINTS", 100)
        patch.setattr(pieces, "MIN_SKETCH_POINTS", 10)
        return open_partitions(PartitionedFiles.find(pattern), 3)


def in_order(params: Params) -> np.ndarray:
    return np.concatenate([a[np.argsort(params.mu)] for a in params])


@pytest.mark.parametrize("objective", ["ml", "map"])
def test_it_ends_where_em_on_one_array_ends(sample, objective):
    settings = EmSettings(starts=10, objective=objective)
    found = PartitionedEmEngine(settings).run(Problem(sample, 3, PRIORS), 1, no_progress)
    whole = EmEngine(settings).run(Problem(Sample.of(Y), 3, PRIORS), 1, no_progress)
    assert found.status == whole.status == "ok"
    assert found.extra["objective_path"].size > 3
    # Both scores are below 1e-8 N, so that both are within 1e-7 or so sds of the maximum.
    np.testing.assert_allclose(in_order(found.params), in_order(whole.params), rtol=1e-6)
    for own, other in zip(
        sorted(np.concatenate(found.standard_errors)),
        sorted(np.concatenate(whole.standard_errors)),
        strict=True,
    ):
        assert own == pytest.approx(other, rel=1e-5)
    for name in ("aic", "bic", "icl"):
        # Away from the maximum likelihood they change with the point, by up to N times as much.
        assert found.extra[name] == pytest.approx(float(whole.extra[name]), abs=1e-7 * Y.size)
    best = found.extra["objective_path"][-1]
    assert best == pytest.approx(whole.extra["objective_path"][-1], rel=1e-10)
    if objective == "ml":
        assert best == pytest.approx(float(mixture.log_likelihood(Sample.of(Y), found.params)))
    assert "on a sketch of 100 points" in found.notes[0]


def test_its_steps_are_those_of_em_on_one_array(sample):
    """The lecture's start is the same in both, and it is a long way from there."""
    settings = EmSettings(starts=1, start="lecture", max_iterations=12)
    problem = Problem(sample, 3, Priors(mean_loc=[-2.0, 0.0, 3.0]))
    # The sketch is all data here, so that the climb goes on from the end of that of the sketch.
    rough = EmEngine(settings).run(
        Problem(sample.summary.sketch, 3, problem.priors), 1, no_progress
    )
    assert rough.status != "ok"
    found = PartitionedEmEngine(settings).run(problem, 1, no_progress)
    at = rough.params
    for i, objective in enumerate(found.extra["objective_path"][:3]):
        expected = float(mixture.log_likelihood(Sample.of(Y), at))
        assert objective == pytest.approx(expected, rel=1e-12), i
        r = mixture.responsibilities(Y, at)
        n_k = r.sum(axis=0)
        mu = r.T @ Y / n_k
        sd = np.sqrt((r * (Y[:, None] - mu) ** 2).sum(axis=0) / n_k)
        at = Params(n_k / Y.size, mu, sd)
        if i == 1:  # the third iterate is an extrapolation, no lower than the plain step
            assert (
                found.extra["objective_path"][2]
                >= float(mixture.log_likelihood(Sample.of(Y), at)) - 1e-6
            )
            break


def test_an_interrupted_climb_goes_on_by_the_same_steps(sample, tmp_path):
    settings = EmSettings(starts=6)
    problem = Problem(sample, 3, PRIORS)
    whole = PartitionedEmEngine(settings).run(problem, 1, no_progress)
    seen: list[float] = []

    def interrupt(fraction: float) -> None:
        seen.append(fraction)
        if len(seen) == 3:
            raise KeyboardInterrupt

    def engine() -> PartitionedEmEngine:
        checkpoint = Checkpoint(tmp_path / "em.checkpoint.npz", "key", every=0.0)
        return PartitionedEmEngine(settings).resuming(checkpoint)

    with pytest.raises(KeyboardInterrupt):
        engine().run(problem, 1, interrupt)
    again: list[float] = []
    found = engine().run(problem, 1, again.append)
    for one, other in zip(found.params, whole.params, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(found.extra["objective_path"], whole.extra["objective_path"])
    assert again == sorted(again)
    assert again[0] >= seen[-1]
    assert again[-1] == 1.0
    assert not list(tmp_path.iterdir())

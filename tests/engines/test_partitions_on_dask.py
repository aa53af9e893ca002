"""The same draws on any number of Dask workers, also when one is killed; errors in one line."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

pytest.importorskip("distributed")

from partitioned import values, write_parquet

from gmmcompare.card import GibbsSettings
from gmmcompare.cluster import open_client
from gmmcompare.engines.base import Problem, no_progress
from gmmcompare.engines.gibbs_partitioned import PartitionedGibbsEngine
from gmmcompare.params import Params
from gmmcompare.priors import Priors
from gmmcompare.survey import open_partitions

SETTINGS = GibbsSettings(chains=2, warmup=5, draws=20)


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_parquet(tmp_path_factory.mktemp("stars"), values(12_000), 4)


def gibbs(pattern: str, client, progress=no_progress) -> Params:
    sample = open_partitions(pattern, 3, client=client)
    problem = Problem(sample, 3, Priors())
    return PartitionedGibbsEngine(SETTINGS).run(problem, 3, progress).params


def assert_equal(a: Params, b: Params) -> None:
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def here(pattern: str) -> Params:
    return gibbs(pattern, None)


def test_one_worker_makes_the_draws_made_here(pattern, here):
    with open_client(1, None) as client:
        assert_equal(gibbs(pattern, client), here)


def test_two_workers_do_and_so_they_do_when_one_is_killed(pattern, here):
    with open_client(2, None) as client:
        assert_equal(gibbs(pattern, client), here)
        killed: list[int] = []

        def kill_one(fraction: float) -> None:
            if not killed and fraction > 0.4:
                workers = client.run(os.getpid)
                killed.append(workers[min(workers)])
                os.kill(killed[0], signal.SIGKILL)

        assert_equal(gibbs(pattern, client, kill_one), here)
        assert killed

"""Random streams: the same for the same key, apart for others."""

from __future__ import annotations

import random

import numpy as np

from gmmcompare.validation.sandbox.streams import seed_global_streams, streams


def test_a_block_has_two_streams_of_its_own() -> None:
    first, again = streams(1, 7, 0), streams(1, 7, 0)
    assert [a.random() for a in first] == [a.random() for a in again]
    keys = [(1, 7, 0), (1, 7, 1), (1, 8, 0), (2, 7, 0)]
    drawn = [a.random() for key in keys for a in streams(*key)]
    assert len(set(drawn)) == 2 * len(keys)


def test_global_streams_repeat() -> None:
    drawn = []
    for seed in (1, 1, 2):
        seed_global_streams(np.random.default_rng(seed))
        drawn.append((random.random(), float(np.random.random())))  # noqa: NPY002
    assert drawn[0] == drawn[1]
    assert drawn[0][0] != drawn[2][0]
    assert drawn[0][1] != drawn[2][1]

"""Random streams: one of the test's own and one of the sampler's, for each block of replicates."""

from __future__ import annotations

import random

import numpy as np


def streams(seed: int, *key: int) -> tuple[np.random.Generator, np.random.Generator]:
    """Return the test's own random stream and the sampler's, for one block of replicates."""
    children = np.random.SeedSequence(seed, spawn_key=key).spawn(2)
    return np.random.default_rng(children[0]), np.random.default_rng(children[1])


def seed_global_streams(rng: np.random.Generator) -> None:
    """Seed the streams that a user's code may use against the contract, so that runs repeat."""
    seed = int(rng.integers(2**32))
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # the legacy stream is exactly what is meant

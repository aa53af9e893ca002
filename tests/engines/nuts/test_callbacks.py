"""Callbacks from disk compute what those just compiled do, and are found by name alone."""

from __future__ import annotations

from pathlib import Path

import numba
import numpy as np
import pytest

from gmmcompare.engines.base import Problem
from gmmcompare.engines.nuts import callbacks, engine
from gmmcompare.engines.nuts.engine import NutpieSampler
from gmmcompare.model.card import NutsSettings
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample


@pytest.mark.slow
def test_a_callback_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    problem = Problem(Sample.of([0.4, -1.1, 2.0]), 1, Priors(2.0, 0.5, 1.5, 3.0, 1.0))
    found = []
    for hits in (0, 1):
        engine._compiled.cache_clear()  # as a new process has it
        sampler = NutpieSampler(problem, NutsSettings())
        assert sampler._compiled.compiled_logp_func.cache_hits == hits
        assert sampler._compiled.compiled_expand_func.cache_hits == hits
        found.append(sampler.density(problem)(np.array([0.3, -0.2])))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_the_key_follows_the_model_and_the_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    key = callbacks._key("K 2, ordered False")
    assert key == callbacks._key("K 2, ordered False")
    assert key != callbacks._key("K 3, ordered False")
    monkeypatch.setattr(callbacks, "version", lambda package: "0.0.0")
    assert key != callbacks._key("K 2, ordered False")

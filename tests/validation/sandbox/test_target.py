"""What is to be tested is found by its name, or sent as it is."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from gmmcompare.engines.gibbs import plain
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.errors import InputError
from gmmcompare.validation.sandbox.target import EngineSampler, Target

SAMPLERS = Path(__file__).parent.parent / "samplers.py"
PRIORS = Priors(2.0, 0.5, 1.5, 3.0, 1.0)
Y = np.array([-1.0, 0.2, 0.4, 2.0])


def test_a_name_is_found_where_it_is_said_to_be() -> None:
    assert type(Target("fault:shape-plus-n").load()).__name__ == "GibbsSweep"
    assert isinstance(Target("engine:gibbs").load(), EngineSampler)
    assert isinstance(Target("nuts").load(), EngineSampler)
    assert Target("gibbs_plain").load() is plain.sweep
    assert Target(f"{SAMPLERS}:right").load().__name__ == "right"


def test_a_function_is_sent_as_it_is() -> None:
    shift = 3.0

    def own(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
        return w, mu + shift, sigma

    target = Target.of(own)
    assert target.name == "own"
    assert target.load()(1.0, 2.0, 3.0, Y, PRIORS, None) == (1.0, 5.0, 3.0)


def test_a_function_that_cannot_be_sent_is_bad_input() -> None:
    lock = threading.Lock()

    def locked(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
        with lock:
            return w, mu, sigma

    with pytest.raises(InputError, match=r"locked: cannot be sent .* FILE\.py:FUNC"):
        Target.of(locked)


def test_an_engine_takes_the_lengths_it_is_asked_for() -> None:
    run = EngineSampler("gibbs_plain")(
        Y, 2, PRIORS, draws=7, warmup=3, chains=2, rng=np.random.default_rng(1)
    )
    assert {name: a.shape for name, a in run.items()} == dict.fromkeys(
        ("w", "mu", "sigma"), (2, 7, 2)
    )

"""The sampler under test: every call of it is checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import samplers

from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.validation.sandbox import subject as subject_module
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject
from gmmcompare.validation.sandbox.subject import BrokenError

SAMPLERS = Path(__file__).parent.parent / "samplers.py"
PRIORS = Priors(2.0, 0.5, 1.5, 3.0, 1.0)
Y = np.array([-1.0, 0.2, 0.4, 2.0])


def start() -> Params:
    return Params(np.array([0.2, 0.3, 0.5]), np.array([-1.0, 0.0, 1.0]), np.ones(3))


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("name", "what", "said"),
    [
        ("raises", "raised", "ZeroDivisionError: division by zero in samplers.py, line"),
        ("exits", "exited", "called exit(3)"),
        ("returns_text", "returned", "returned str"),
        ("returns_two", "returned", "returned 2 values"),
        ("wrong_shape", "returned", "returned shapes (3,), (3,) and (2,)"),
        ("off_the_simplex", "returned", "weights must sum to 1"),
    ],
)
def test_a_bad_sweep_is_told_with_the_call(name: str, what: str, said: str) -> None:
    subject = MixtureSubject(getattr(samplers, name), f"some/where/own.py:{name}")
    with pytest.raises(BrokenError) as caught:
        subject.sweep(start(), Y, PRIORS, rng())
    assert caught.value.what == what
    assert str(caught.value).startswith(f"own.py:{name}: ")
    assert said in str(caught.value)
    assert "(call 1, with 4 observations)" in str(caught.value)
    assert bool(caught.value.details) == (what == "raised")


def test_a_kernel_cannot_change_where_it_started() -> None:
    def in_place(w, mu, sigma, y, priors, rng):  # type: ignore[no-untyped-def]
        mu += 1.0
        return w, mu, sigma

    at = start()
    new = MixtureSubject(in_place, "own").sweep(at, Y, PRIORS, rng())
    np.testing.assert_array_equal(at.mu, start().mu)
    np.testing.assert_array_equal(new.mu, start().mu + 1.0)


def test_a_chain_keeps_the_sweeps_after_its_warmup() -> None:
    subject = MixtureSubject(samplers.right, "own")
    chain = subject.chain(start(), Y, PRIORS, rng(), draws=3, warmup=2)
    at, stream = start(), rng()
    for i in range(5):
        at = subject.sweep(at, Y, PRIORS, stream)
        if i >= 2:
            for kept, value in zip(chain, at, strict=True):
                np.testing.assert_array_equal(kept[i - 2], value)
    assert chain.mu.shape == (3, 3)


def test_chains_start_in_turn_so_that_starts_may_share_their_stream() -> None:
    def from_stream(stream: np.random.Generator) -> Iterator[Params]:
        for _ in range(2):
            yield Params(start().w, stream.normal(size=3), start().sigma)

    subject, stream, again = MixtureSubject(samplers.right, "own"), rng(), rng()
    chains = subject.chains(from_stream(stream), Y, PRIORS, stream, draws=2)
    assert chains.mu.shape == (2, 2, 3)
    for c in range(2):
        at = Params(start().w, again.normal(size=3), start().sigma)
        alone = subject.chain(at, Y, PRIORS, again, draws=2)
        np.testing.assert_array_equal(chains.mu[c], alone.mu)


def test_data_changed_in_place_are_noticed_and_kept_from_others() -> None:
    y = Y.copy()
    with pytest.raises(BrokenError, match="changes y in place"):
        MixtureSubject(samplers.changes_y, "own").chain(start(), y, PRIORS, rng(), draws=2)
    np.testing.assert_array_equal(y, Y)


@pytest.mark.parametrize(
    ("name", "what", "said"),
    [
        ("same_chain_four_times", "copied chains", "copies of each other"),
        ("axes_swapped", "returned", "chains where 4 were asked for"),
        ("point_estimate", "returned", "one point of shape (K,)"),
    ],
)
def test_a_bad_run_is_told(name: str, what: str, said: str) -> None:
    subject = MixtureSubject(getattr(samplers, name), "own")
    with pytest.raises(BrokenError) as caught:
        subject.run(Y, 3, PRIORS, draws=20, warmup=5, chains=4, rng=rng())
    assert caught.value.what == what
    assert said in str(caught.value)


def test_a_sigma_of_infinity_is_no_draw() -> None:
    def infinite(y, K, priors, draws, warmup, chains, rng):  # type: ignore[no-untyped-def]
        run = samplers.whole(y, K, priors, draws, warmup, chains, rng)
        run["sigma"][0, 0, 0] = np.inf
        return run

    with pytest.raises(BrokenError, match="sigma is infinite"):
        MixtureSubject(infinite, "own").run(Y, 3, PRIORS, draws=5, warmup=0, chains=2, rng=rng())


def test_the_parent_hears_of_a_slow_sampler_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [0.0]
    monkeypatch.setattr(subject_module.time, "monotonic", lambda: seconds[0])
    heard: list[float] = []
    subject = MixtureSubject(samplers.right, "own", lambda: heard.append(seconds[0]))
    for second in (0.1, 0.4, 0.6, 0.9, 1.3):
        seconds[0] = second
        subject.beat()
    assert heard == [0.6, 1.3]

"""Which random stream a sampler draws from, and whether it permutes labels."""

from __future__ import annotations

from functools import partial

import edge_kernels
import numpy as np
import pytest
import samplers
import two_components

from gmmcompare.validation.checks.contract import probe_kernel, probe_sampler
from gmmcompare.validation.checks.habits import permutes_labels, stream_of
from gmmcompare.validation.checks.scenes import CALIBRATION, tied
from gmmcompare.validation.faults.catalogue import fault
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject

STREAMS = {
    "only": samplers.right,
    "never": samplers.draws_from_numpy,
    "not only": samplers.draws_from_both,
}


@pytest.mark.parametrize("stream", STREAMS)
def test_the_random_stream_is_found(stream: str) -> None:
    assert probe_kernel(MixtureSubject(STREAMS[stream], "own"), seed=1).usage.stream == stream


def test_a_stream_of_its_own_is_not_rng() -> None:
    contract = probe_kernel(MixtureSubject(samplers.own_stream_of_numbers, "own"), seed=1)
    assert (contract.usage.stream, contract.usage.reproducible) == ("never", False)


@pytest.mark.parametrize("stream", STREAMS)
def test_so_it_is_of_whole_samplers(stream: str) -> None:
    def whole(y, K, priors, draws, warmup, chains, rng):  # type: ignore[no-untyped-def]
        kernel = STREAMS[stream]
        start = np.random if stream == "never" else rng
        at = priors.sample(np.random.default_rng(int(start.random() * 2**32)), K)
        sweep = partial(kernel, priors=priors, y=y, rng=rng)
        out = {name: np.empty((chains, draws, K)) for name in ("w", "mu", "sigma")}
        for chain, draw in np.ndindex(chains, draws):
            at = sweep(*at)
            for name, value in zip(out, at, strict=True):
                out[name][chain, draw] = value
        return out

    assert probe_sampler(MixtureSubject(whole, "own"), seed=1).usage.stream == stream


def test_children_of_rng_are_rng() -> None:
    assert stream_of(lambda rng: rng.spawn(1)[0].random(3), reproducible=True) == "only"
    assert stream_of(lambda rng: np.ones(3), reproducible=True) == "never"


@pytest.mark.parametrize("name", edge_kernels.PERMUTING)
def test_labels_that_are_permuted_are_seen(name: str) -> None:
    subject = MixtureSubject(edge_kernels.PERMUTING[name], "own")
    assert permutes_labels(subject, (CALIBRATION, tied(3)), seed=1)


@pytest.mark.parametrize(
    "kernel",
    [
        samplers.right,
        edge_kernels.metropolis,
        edge_kernels.SORTING["by mu"],
        edge_kernels.SORTING["by mu, downwards"],
        fault("labels-sorted-each-sweep"),
        samplers.raises,
    ],
)
def test_labels_that_are_kept_or_sorted_are_not(kernel: object) -> None:
    assert not permutes_labels(MixtureSubject(kernel, "own"), (CALIBRATION, tied(3)), seed=1)  # type: ignore[arg-type]


def test_two_components_may_be_permuted_too() -> None:
    assert permutes_labels(MixtureSubject(two_components.permuting, "own"), (tied(2),), seed=1)
    assert not permutes_labels(MixtureSubject(two_components.Kernel(), "own"), (tied(2),), seed=1)

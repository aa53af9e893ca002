"""The first calls of a sampler: what it accepts, what it uses, and what it keeps."""

from __future__ import annotations

from functools import partial

import pytest
import samplers
from inprocess import InProcess

from gmmcompare.validation.checks.contract import (
    Contract,
    check_contract,
    probe_kernel,
    probe_sampler,
)
from gmmcompare.validation.checks.scenes import FIELDS
from gmmcompare.validation.faults.catalogue import fault
from gmmcompare.validation.reasons import Code
from gmmcompare.validation.sandbox.mixture_subject import MixtureSubject
from gmmcompare.validation.sandbox.subject import BrokenError

EVERY = (
    "calibration",
    "asymmetric",
    "two-component",
    "five-component",
    "small-unit",
    "large-unit",
    "tied",
    "many-observations",
)


def probed(name: str) -> Contract:
    return probe_kernel(MixtureSubject(getattr(samplers, name), "own"), seed=1)


def names_of(contract: Contract) -> tuple[str, ...]:
    return tuple(scene.name for scene in contract.scenes)


def test_priors_are_given_as_numbers_or_vectors_as_the_kernel_takes_them() -> None:
    numbers = probed("wholly_numbers")
    assert not any(scene.vector for scene in numbers.scenes)
    assert numbers.domain.unequal == ()
    assert names_of(numbers) == tuple(n.replace("asymmetric", "sparse") for n in EVERY)
    (refusal,) = numbers.refused
    assert (refusal.numbers["scene"], refusal.numbers["what"]) == ("asymmetric", "raised")
    assert refusal.numbers["message"].startswith("own: raised TypeError")
    vectors = probed("only_vectors")
    assert all(scene.vector for scene in vectors.scenes)
    assert names_of(vectors) == EVERY
    assert not vectors.refused
    assert vectors.domain.unequal == FIELDS
    in_part = probed("only_numbers")
    assert in_part.domain.unequal == tuple(f for f in FIELDS if f != "mean_loc")
    assert in_part.scenes[1].name == "part-asymmetric"


def test_a_stream_of_its_own_and_a_memory_are_noticed() -> None:
    own = probed("own_stream_of_numbers")
    assert not own.usage.reproducible
    stale = probe_kernel(MixtureSubject(fault("z-from-stale-weights"), "stale"), seed=1)
    assert stale.usage.reproducible
    assert stale.usage.remembers
    correct = probed("right")
    assert correct.usage.reproducible
    assert not correct.usage.remembers


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("hidden_seed", "hidden seed"),
        ("ignores_the_data", "ignores the data"),
        ("ignores_the_priors", "ignores the priors"),
        ("keeps_sigma", "does not move"),
        ("raises", "raised"),
    ],
)
def test_a_kernel_that_leaves_something_out_is_told_what(name: str, what: str) -> None:
    with pytest.raises(BrokenError) as caught:
        probed(name)
    assert caught.value.what == what


@pytest.mark.parametrize(
    ("name", "what"),
    [("whole_hidden_seed", "hidden seed"), ("whole_without_data", "ignores the data")],
)
def test_a_whole_sampler_that_leaves_something_out_is_told_what(name: str, what: str) -> None:
    with pytest.raises(BrokenError) as caught:
        probe_sampler(MixtureSubject(getattr(samplers, name), "own"), seed=1)
    assert caught.value.what == what


def test_a_rejected_step_is_not_taken_for_one_that_ignores_everything() -> None:
    """It moves in one sweep of 200: the longest of the chains that are compared has 500."""
    contract = probed("moves_seldom")
    assert contract.usage.reproducible
    assert names_of(contract) == EVERY


@pytest.mark.parametrize(
    ("name", "reproducible", "vectors"),
    [
        ("right", True, True),
        ("own_stream_of_numbers", False, True),
        ("draws_from_numpy", True, True),
        ("wholly_numbers", True, False),
    ],
)
def test_a_pass_says_no_more_than_was_seen(name: str, reproducible: bool, vectors: bool) -> None:
    contract, check = check_contract(InProcess(getattr(samplers, name)), "kernel", seed=1)
    (reason,) = check.reasons
    assert (check.verdict, reason.code) == ("passed", Code.CONTRACT_KEPT)
    assert reason.numbers["reproducible"] == contract.usage.reproducible == reproducible
    assert reason.numbers["vectors"] == vectors
    assert ("its data and its rng" in check.summary) == (contract.usage.stream == "only")
    assert (contract.usage.stream == "only") == (name in ("right", "wholly_numbers"))
    assert ("the same for all components" in check.summary) != vectors


def test_a_whole_sampler_may_be_for_two_components_alone() -> None:
    def two(y, K, priors, draws, warmup, chains, rng):  # type: ignore[no-untyped-def]
        assert K == 2
        return samplers.whole(y, K, priors, draws, warmup, chains, rng)

    contract = probe_sampler(MixtureSubject(two, "own"), seed=1)
    assert names_of(contract) == ("calibration-2", "asymmetric-2")
    assert (contract.domain.sizes, contract.domain.refused_sizes) == ((2,), (3,))


def test_whole_samplers_are_tried_in_the_main_scenes_only() -> None:
    sampler = InProcess(partial(samplers.whole))
    contract, check = check_contract(sampler, "sampler", seed=1)
    assert names_of(contract) == EVERY[:2]
    assert check.reasons[0].numbers["kind"] == "sampler"

"""Draws of any model: equal ones agree, others do not, whatever differs.

Each comparison of equal engines is called "disagree" with probability below 1e-5, as draws that
cannot be repeated have to differ at that level.
"""

from __future__ import annotations

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.comparison.agreed import agree_on
from gmmcompare.comparison.functionals import MOST_PAIRS, pairs_of
from gmmcompare.comparison.general import GeneralDraws, common_parameters
from gmmcompare.comparison.names import of_statistic, quantity
from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import InputError


def drawn(name: str, seed: int, size: int = 2500, **also: Array) -> GeneralDraws:
    rng = np.random.default_rng(seed)
    arrays = {"mu": rng.normal(size=(4, size)), "theta": rng.normal(size=(4, size, 3)), **also}
    return GeneralDraws(name, arrays)


def correlated(seed: int, rho: float, size: int = 2500) -> Array:
    z = np.random.default_rng(seed).normal(size=(4, size, 2))
    z[..., 1] = rho * z[..., 0] + np.sqrt(1.0 - rho**2) * z[..., 1]
    return z


def test_equal_draws_agree_and_say_what_was_compared() -> None:
    found = agree_on([drawn("a", 1), drawn("b", 2)])
    assert found.verdict == "agree"
    assert found.scalars == ("mu", "theta[0]", "theta[1]", "theta[2]")
    assert found.pairs[0].statistics == 4 * 11 + 6
    table = found.table()
    expected = found.columns["a"].mean["theta[1]"]
    assert table.loc["theta[1]", ("a", "mean")] == pytest.approx(expected)
    assert "array" not in repr(found)  # of which there would be screens full
    assert found.sentence() in repr(found)


@pytest.mark.parametrize(
    ("a", "b"),
    [(0.0, 0.5), (0.5, -0.5)],
)
def test_equal_marginals_with_another_dependence_do_not_agree(a: float, b: float) -> None:
    """At an ESS of 4,000 in either."""
    one, other = (
        GeneralDraws(n, {"x": correlated(s, rho, 1000)}) for n, s, rho in (("a", 1, a), ("b", 2, b))
    )
    found = agree_on([one, other])
    assert found.verdict == "disagree"
    assert "dependence of x[0] and x[1]" in found.sentence()


def test_a_missing_mode_does_not_agree() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 1000)) + 8.0 * (rng.random((4, 1000)) < 0.05)
    found = agree_on(
        [GeneralDraws("all", {"x": x}), GeneralDraws("one", {"x": rng.normal(size=(4, 1000))})]
    )
    assert found.verdict != "agree"


def test_many_scalars_are_compared_in_part_two_by_two_and_in_sums() -> None:
    first, second = pairs_of(200)
    assert len(first) == MOST_PAIRS
    assert (first < second).all()
    assert len({*zip(first.tolist(), second.tolist(), strict=True)}) == MOST_PAIRS
    assert len(pairs_of(10)[0]) == 45
    z = np.random.default_rng(1).normal(size=(2, 4, 1000, 60))
    common = np.random.default_rng(2).normal(size=(4, 1000, 1))
    dependent = np.sqrt(0.7) * z[1] + np.sqrt(0.3) * common
    found = agree_on([GeneralDraws("a", {"x": z[0]}), GeneralDraws("b", {"x": dependent})])
    assert found.verdict == "disagree"


def test_too_few_or_copied_chains_are_never_judged() -> None:
    one = drawn("a", 1)
    copied = {name: np.repeat(v[:1], 4, axis=0) for name, v in one.arrays.items()}
    assert agree_on([one, GeneralDraws("b", copied)]).verdict == "inconclusive"
    single = {name: v[:1] for name, v in one.arrays.items()}
    assert agree_on([GeneralDraws("b", single), drawn("c", 3)]).verdict == "inconclusive"


def test_labels_that_carry_no_meaning_are_put_in_order() -> None:
    rng = np.random.default_rng(3)
    mu = rng.normal([-3.0, 3.0], 0.5, (4, 2500, 2))
    tau = rng.normal([1.0, 2.0], 0.1, (4, 2500, 2))
    flip = rng.random((4, 2500, 1)) < 0.5
    switched = {"mu": np.where(flip, mu[..., ::-1], mu), "tau": np.where(flip, tau[..., ::-1], tau)}
    pair = [GeneralDraws("a", {"mu": mu, "tau": tau}), GeneralDraws("b", switched)]
    assert agree_on(pair).verdict == "disagree"
    other = {"mu": rng.normal([-3.0, 3.0], 0.5, (4, 2500, 2)),
             "tau": rng.normal([1.0, 2.0], 0.1, (4, 2500, 2))}  # fmt: skip
    switched["mu"] = np.where(flip, other["mu"][..., ::-1], other["mu"])
    switched["tau"] = np.where(flip, other["tau"][..., ::-1], other["tau"])
    pair[1] = GeneralDraws("b", switched)
    assert agree_on(pair, symmetries=[("mu", "tau")]).verdict == "agree"


def test_draws_of_mixtures_are_aligned_without_data() -> None:
    y = np.array([-1.3, -0.9, -1.05, 0.8, 1.4, 1.0])
    exact = gc.exact_posterior(y, 2, gc.Priors(2.0, 0.0, 2.0, 3.0, 1.0))
    rng = np.random.default_rng(1)
    one, other = (exact.sample(16_000, rng)._asdict() for _ in range(2))
    shaped = [{n: a.reshape(4, 4000, 2) for n, a in d.items()} for d in (one, other)]
    found = gc.agree(shaped)
    assert found.verdict == "agree"
    assert (found.draws["A"].arrays["mu"].mean(axis=(0, 1))[0]) < 0.0
    moved = {**shaped[1], "mu": shaped[1]["mu"] + 0.3}
    assert gc.agree([shaped[0], moved]).verdict == "disagree"


def test_more_files_are_judged_together() -> None:
    found = agree_on([drawn(name, i) for i, name in enumerate("abc")])
    assert found.verdict == "agree"
    assert len(found.pairs) == 3


def test_what_is_not_common_is_left_out_or_explained() -> None:
    extra = drawn("b", 2, more=np.zeros((4, 2500)))
    found = agree_on([drawn("a", 1), extra])
    assert found.left_out == ("more",)
    assert agree_on([drawn("a", 1), extra], ["theta"]).scalars[0] == "theta[0]"
    with pytest.raises(InputError, match="a: has no 'more'"):
        common_parameters([drawn("a", 1), extra], ["more"])
    with pytest.raises(InputError, match="no parameter is in all of them"):
        agree_on([drawn("a", 1), GeneralDraws("b", {"x": np.zeros((4, 9))})])
    with pytest.raises(InputError, match=r"theta has shape \(3,\) in a, \(2,\) in b"):
        agree_on([drawn("a", 1), drawn("b", 2, theta=np.zeros((4, 2500, 2)))])
    with pytest.raises(InputError, match="at least two"):
        agree_on([drawn("a", 1)])
    with pytest.raises(InputError, match="two have one name"):
        agree_on([drawn("a", 1), drawn("a", 2)])


def test_parameters_keep_the_users_names() -> None:
    assert quantity("scalar[mu]") == "mu"
    assert quantity("mu[1]") == "mean of component 1"
    assert quantity("dependence[scalar[S[0,1]],scalar[w]]") == "dependence of S[0,1] and w"
    assert of_statistic("spread", "scalar[w[1]]") == "the spread of w[1]"


def test_a_difference_is_repeated_where_it_can_be() -> None:
    asked = []

    def redraw(name: str, this_round: int) -> GeneralDraws:
        asked.append((name, this_round))
        return drawn(name, 10 * this_round + len(name), 4 * 2500)

    shifted = drawn("other", 2)
    shifted.arrays["mu"][:] += 0.2  # type: ignore[index]
    found = agree_on([drawn("a", 1), shifted], redraw=redraw)
    assert ("other", 2) in asked
    assert found.verdict == "agree"

"""The verdict on two engines that draw, on evidence whose truth is known.

Seeds are fixed and were not chosen. Where equal engines must come out "agree", 10,000 independent
draws leave an error of 0.014, so that one of 69 statistics is off by 0.1 - 0.023 (5.4 standard
errors) with a probability below 1e-5.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from evidence import judge, make_evidence
from scipy import signal

from gmmcompare.comparison.agreement import FunctionalResult, PairVerdict, _needed
from gmmcompare.comparison.checks import check
from gmmcompare.comparison.evidence import Evidence
from gmmcompare.comparison.reasons import Code, Reason
from gmmcompare.comparison.thresholds import MARGIN, MAX_ROUNDS
from gmmcompare.runtime.files import write_json


def test_equal_engines_agree():
    found = judge(make_evidence("gibbs", 1), make_evidence("nuts", 2))
    assert found.verdict == "agree"
    assert found.bound < MARGIN
    assert found.suspect is None
    assert found.ess_needed is None
    (reason,) = found.reasons
    assert reason.code == Code.NO_DIFFERENCE
    assert reason.numbers == {"bound": found.bound, "statistics": 69}
    # 69 statistics: z = 3.80; ESS near 10,000 each: (3.80 + 0.84) sqrt(2 / 10,000) = 0.066
    assert found.mdd == pytest.approx(0.065, abs=0.004)


def test_a_shift_is_found_with_its_size_and_direction():
    asked = []

    def refit(name: str, this_round: int) -> Evidence:
        asked.append((name, this_round))
        seed = 10 * this_round + len(name)
        shift = 0.2 if name == "mine" else 0.0
        return make_evidence(name, seed, draws=2500 * 4 ** (this_round - 1), shift=shift)

    found = judge(refit("gibbs", 1), refit("mine", 1), refit)
    assert found.verdict == "disagree"
    assert found.rounds == 2
    assert asked[2:] == [("gibbs", 2), ("mine", 2)]
    largest = found.largest
    assert (largest.name, largest.statistic) == ("mu[1]", "location")
    assert largest.diff == pytest.approx(-0.2, abs=5 * largest.se)
    assert found.reasons[0] == Reason(
        Code.DIFFERENCE,
        {
            "a": "gibbs",
            "b": "mine",
            "functional": "mu[1]",
            "statistic": "location",
            "diff": largest.diff,
            "se": largest.se,
            "repeats": 1,
        },
    )
    assert found.suspect is None  # nothing says which of the two is wrong


def test_a_false_alarm_does_not_repeat():
    def refit(name: str, this_round: int) -> Evidence:
        return make_evidence(name, 20 + len(name), draws=2500 * 4)

    found = judge(make_evidence("a", 1), make_evidence("bb", 2, shift=0.2), refit)
    assert (found.verdict, found.rounds) == ("agree", 2)


@pytest.mark.slow
def test_a_difference_is_pursued_for_three_rounds_at_most():
    rounds = []

    def refit(name: str, this_round: int) -> Evidence:
        """Return a difference that is significant at 1 % but not at 0.1 %."""
        rounds.append(this_round)
        return borderline(name)

    found = judge(borderline("a"), borderline("b"), refit)
    assert 0.001 <= found.corrected_p < 0.01
    assert rounds == [2, 2, 3, 3]
    assert found.rounds == MAX_ROUNDS
    assert found.verdict == "inconclusive"
    assert found.reasons[-1].code == Code.UNCONFIRMED_DIFFERENCE
    assert found.reasons[-1].numbers == {"alpha": 0.01, "confirm_alpha": 0.001}


def borderline(name: str, wanted_p: float = 0.003, draws: int = 2500) -> Evidence:
    """Return one of two pieces of evidence, apart by as much as gives this corrected p.

    For 0.003, 4.0 standard errors: p near 6e-5 for one of 69 statistics.
    """
    one, other = ("a", 1), ("b", 2)
    shift = 0.0
    if name == "b":
        low, high = 0.0, 0.2
        for _ in range(12):
            shift = 0.5 * (low + high)
            moved = make_evidence(*other, shift=shift, draws=draws)
            p = judge(make_evidence(*one, draws=draws), moved).corrected_p
            low, high = (shift, high) if p > wanted_p else (low, shift)
    return make_evidence(*(one if name == "a" else other), shift=shift, draws=draws)


@pytest.mark.parametrize("refit", [None, lambda name, this_round: None], ids=["none", "cannot"])
def test_what_cannot_be_repeated_counts_at_once_if_it_is_beyond_doubt(refit):
    found = judge(make_evidence("a", 1), make_evidence("b", 2, shift=0.2), refit)
    assert (found.verdict, found.rounds) == ("disagree", 1)
    assert found.reasons[0].code == Code.DIFFERENCE
    assert found.reasons[0].numbers["repeats"] == 0
    doubtful = judge(borderline("a"), borderline("b"), refit)
    assert doubtful.verdict == "inconclusive"


def test_few_draws_are_inconclusive_and_say_how_many_are_needed():
    found = judge(make_evidence("a", 1, draws=50), make_evidence("b", 2, draws=50))
    assert found.verdict == "inconclusive"
    low = [reason for reason in found.reasons if reason.code == Code.LOW_ESS]
    assert [reason.engine for reason in low] == ["a", "b"]
    assert all(reason.numbers["ess"] < 1000 == reason.numbers["needed"] for reason in low)
    assert found.suspect is None  # both ran too short
    # 2 ((3.80 + 0.84) / 0.1)^2 = 4,300 for 69 statistics; by the largest of 69 errors more, as each
    # rests on a few batches of 200 draws and may be twice too large
    assert 4000 < found.ess_needed < 4 * 4300


def test_enough_draws_but_a_difference_still_possible():
    # ESS 1,600: no check fails (4 chains: R-hat near 1.002), but 1.65 sqrt(2 / 1,600) + noise > 0.1
    found = judge(make_evidence("a", 3, draws=400), make_evidence("b", 4, draws=400))
    assert found.verdict == "inconclusive"
    assert found.bound > MARGIN
    assert found.ess_needed > 4000


def test_a_real_difference_at_the_margin_asks_for_more_draws_than_there_are():
    # A difference of 3.6 standard errors (0.02 each) is not significant for one of 69 statistics,
    # and with 1.65 standard errors more it is above 0.1.
    a, b = (borderline(name, wanted_p=0.02, draws=1250) for name in ("a", "b"))
    found = judge(a, b)
    assert found.verdict == "inconclusive"
    assert found.corrected_p == pytest.approx(0.02, rel=0.1)
    assert MARGIN < found.bound < 1.2 * MARGIN
    assert found.ess_needed > min(f.ess for f in found.functionals)
    assert found.reasons[0].code == Code.DIFFERENCE_POSSIBLE
    assert found.reasons[0].numbers["ess_needed"] == found.ess_needed


@pytest.mark.parametrize(
    ("ess", "se_largest", "needed"),
    [
        # One function, nine statistics: z = 3.26, and (3.26 + 0.84) / 0.1 = 41.
        (2000, 0.03, 2 * 41**2),
        (5000, 0.03, 5000 * (0.03 * 41) ** 2),  # a statistic mixes worse than the function's bulk
        (10_000, 0.015, 4 * 10_000),  # equal engines would have agreed: a small difference
    ],
)
def test_the_draws_that_are_needed(ess, se_largest, needed):
    result = FunctionalResult(
        "mu[1]", "location", 0.08, 0.01, 0.01, 0.1, 0.11, False, ess, se_largest
    )
    assert _needed((result,)) == pytest.approx(needed, rel=0.01)


# --- slow modes ---------------------------------------------------------------------------------


def slow_process(seed: int, rho: float = 0.9995, chains: int = 4, draws: int = 5000) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((chains, draws))
    noise[:, 1:] *= np.sqrt(1 - rho**2)
    return signal.lfilter([1.0], [1.0, -rho], noise, axis=1)


def with_slow_part(name: str, seed: int, share: float = 0.1, level: float = 0.0) -> Evidence:
    """Return evidence in which two quantities are nearly the same but for a slow part."""
    found = make_evidence(name, seed, draws=5000)
    slow = np.sqrt(share) * (slow_process(seed + 1000) + level)
    values = {f.name: f.values for f in found.functionals}
    values["mu[1]"] = np.sqrt(1 - share) * values["mean"] + slow
    return replace(
        found, functionals=tuple(replace(f, values=values[f.name]) for f in found.functionals)
    )


def test_a_slow_combination_is_found_though_every_quantity_mixes_well():
    # The difference of two quantities is AR(0.9995): 20,000 draws are worth about five.
    engine = with_slow_part("mine", 1, share=0.001)
    mixing = engine.convergence
    assert mixing.worst_ess[1] > 5000
    assert mixing.slowest < 80
    (found,) = failures(engine)
    assert (found.code, found.engine) == (Code.SLOW_COMBINATION, "mine")
    assert found.numbers == {"ess": mixing.slowest, "needed": 80.0}
    sound = make_evidence("mine", 2, draws=5000).convergence
    assert sound.slowest > 10_000  # six independent quantities of 20,000 draws
    assert judge(make_evidence("gibbs", 3), engine).verdict == "inconclusive"


def test_a_difference_that_cannot_be_repeated_is_no_verdict_where_chains_have_not_mixed():
    # The slow part of all four chains is two sds too high.
    apart = with_slow_part("mine", 1, share=0.2, level=2.0)
    found = judge(make_evidence("gibbs", 2), apart)
    assert (found.verdict, found.rounds) == ("inconclusive", 1)
    assert {Code.HIGH_RHAT, Code.LOW_ESS} & {reason.code for reason in found.reasons}
    assert found.suspect in ("mine", None)


def test_nor_of_any_size():
    # 0.9 sd, and the chains of one engine have an R-hat of 1.05: significant, and still open.
    level = np.array([0.0, 0.3, 0.6, 0.3])
    uneven = make_evidence("mine", 3, shift=1.2, chain_log_lik=tuple(level))
    found = judge(make_evidence("gibbs", 4), uneven)
    assert found.corrected_p < 0.001
    assert found.verdict == "inconclusive"
    assert found.reasons[0].code == Code.UNREPEATED_DIFFERENCE
    assert found.reasons[0].numbers["functional"] == "mu[1]"
    assert found.reasons[1].code == Code.HIGH_RHAT
    again = judge(
        make_evidence("gibbs", 4),
        uneven,
        lambda name, this_round: make_evidence(name, 5, shift=1.2 * (name == "mine")),
    )
    assert again.verdict == "disagree"  # what can be repeated is


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("chains", "draws"), [(4, 2500), (12, 1000), (5, 3000)])
def test_equal_engines_of_other_numbers_and_lengths_of_chains_agree(chains, draws, seed):
    a = make_evidence("a", 100 + seed)
    assert judge(a, make_evidence("b", 200 + seed, chains=chains, draws=draws)).verdict == "agree"


# --- suspects ------------------------------------------------------------------------------------


def test_an_engine_in_a_minor_mode_is_the_suspect_though_its_chains_agree():
    gibbs = make_evidence("gibbs", 1)

    def nuts(seed: int, draws: int = 2500) -> Evidence:
        return make_evidence(
            "nuts", seed, chains=2, draws=draws, shift=3.0, chain_log_lik=(-20.0, -20.0)
        )

    def refit(name: str, this_round: int) -> Evidence:
        draws = 2500 * 4 ** (this_round - 1)
        return nuts(30, draws) if name == "nuts" else make_evidence(name, 31, draws=draws)

    found = judge(gibbs, nuts(2), refit)
    assert found.verdict == "disagree"  # reproducible, though a check failed: and both are said
    assert found.suspect == "nuts"
    minor = found.reasons[1]
    assert (minor.code, minor.engine) == (Code.MINOR_MODE, "nuts")
    assert (minor.numbers["chains"], minor.numbers["n_chains"]) == ((1, 2), 2)
    assert (minor.numbers["gap"], minor.numbers["best"]) == (pytest.approx(20, abs=0.5), "gibbs")
    assert not any(reason.engine == "gibbs" for reason in found.reasons)
    few = Reason(Code.TOO_FEW_CHAINS, {"chains": 2, "needed": 4}, engine="nuts")
    assert few in found.reasons


def test_one_chain_in_a_minor_mode_is_named_and_not_called_agreement():
    nuts = make_evidence("nuts", 2, chain_log_lik=(0.0, 0.0, -20.0, 0.0))
    found = judge(make_evidence("gibbs", 1), nuts)
    assert found.verdict == "inconclusive"
    assert found.suspect == "nuts"
    assert (found.reasons[0].code, found.reasons[0].engine) == (Code.MINOR_MODE, "nuts")
    assert found.reasons[0].numbers["chains"] == (3,)
    assert found.reasons[0].numbers["gap"] == pytest.approx(20, abs=0.5)
    assert found.reasons[0].numbers["best"] == "gibbs"


def test_a_third_engine_shows_that_both_are_in_a_minor_mode():
    low = [make_evidence(n, s, chain_log_lik=(-20.0,) * 4) for n, s in (("a", 1), ("b", 2))]
    em_started = make_evidence("c", 3)
    found = judge(*low, peers=[*low, em_started])
    assert found.verdict == "inconclusive"
    assert [reason.code for reason in found.reasons] == [Code.MINOR_MODE, Code.MINOR_MODE]
    assert all(reason.numbers["best"] == "c" for reason in found.reasons)
    assert judge(*low).verdict == "agree"


def test_the_first_run_is_judged_even_if_a_repetition_goes_well():
    """The fits that a report shows are the first run's: a stuck chain there is not forgotten."""
    stuck = make_evidence("nuts", 2, shift=3.0, chain_log_lik=(-20.0,) * 4)

    def refit(name: str, this_round: int) -> Evidence:
        return make_evidence(name, 40 + len(name), draws=10_000)

    found = judge(make_evidence("gibbs", 1), stuck, refit)
    assert (found.verdict, found.rounds, found.suspect) == ("inconclusive", 2, "nuts")
    assert found.reasons[0].code == Code.MINOR_MODE
    assert "round" not in found.reasons[0].numbers


def test_a_repetition_that_fails_a_check_is_no_agreement():
    def refit(name: str, this_round: int) -> Evidence:
        low = (0.0, 0.0, 0.0, -20.0) if name == "nuts" else ()
        return make_evidence(name, 50 + len(name), draws=10_000, chain_log_lik=low)

    found = judge(make_evidence("gibbs", 1), make_evidence("nuts", 2, shift=0.3), refit)
    assert (found.verdict, found.suspect) == ("inconclusive", "nuts")
    assert (found.reasons[0].code, found.reasons[0].engine) == (Code.MINOR_MODE, "nuts")
    assert found.reasons[0].numbers["chains"] == (4,)
    assert found.reasons[0].numbers["gap"] == pytest.approx(20, abs=0.5)
    assert found.reasons[0].numbers["round"] == 2


def test_too_few_chains_cast_no_doubt():
    found = judge(make_evidence("gibbs", 1), make_evidence("nuts", 2, chains=2, draws=5000))
    assert (found.verdict, found.suspect) == ("inconclusive", None)
    assert found.reasons[0] == Reason(
        Code.TOO_FEW_CHAINS, {"chains": 2, "needed": 4}, engine="nuts"
    )
    assert found.ess_needed is None  # draws are not what lacks


def test_copies_are_inconclusive_without_a_test():
    copied = make_evidence("mine", 2, shift=5.0, copies=((0, 2),))
    found = judge(make_evidence("gibbs", 1), copied)
    assert (found.verdict, found.suspect, found.functionals) == ("inconclusive", "mine", ())
    assert found.reasons == (Reason(Code.COPIED_CHAINS, {"pairs": ((1, 3),)}, engine="mine"),)
    assert np.isnan(found.bound)


def test_exact_draws_are_never_the_suspect():
    exact = make_evidence("exact", 1, exact=True)
    assert judge(exact, make_evidence("mine", 2, shift=0.3)).suspect == "mine"
    assert judge(make_evidence("mine", 2, shift=0.3), exact).suspect == "mine"


# --- checks --------------------------------------------------------------------------------------


def failures(alone: Evidence) -> list[Reason]:
    return list(check(alone, [alone]).failures)


def test_a_sound_engine_fails_no_check():
    sound = make_evidence("gibbs", 1, divergences=0)
    assert failures(sound) == []


def test_r_hat_and_ess():
    apart = make_evidence("mine", 1, chain_log_lik=(0.0, 0.0, 0.0, 1.0))
    found = {reason.code: reason.numbers for reason in failures(apart)}
    assert found[Code.HIGH_RHAT]["functional"] == "log_lik"
    assert 1.01 == found[Code.HIGH_RHAT]["limit"] <= found[Code.HIGH_RHAT]["rhat"] < 2.0
    assert found[Code.LOW_ESS]["ess"] < 1000


def test_divergences():
    nuts = make_evidence("nuts", 1, divergences=3)
    assert failures(nuts) == [Reason(Code.DIVERGENCES, {"count": 3}, engine="nuts")]


def test_empty_states_must_be_entered_and_left_often():
    share = np.zeros((4, 2500))
    share[1, :300] = 1.0
    rare = make_evidence("gibbs", 1, prob_small=share)
    (found,) = failures(rare)
    assert found.code == Code.RARE_EMPTY_STATES
    assert found.numbers == {
        "chains": (2,),
        "n_chains": 4,
        "share": pytest.approx(0.03),
        "transitions": 1.0,
        "needed": 100,
    }
    share[1, 1:300:2] = 0.0
    often = make_evidence("gibbs", 1, prob_small=share)
    assert failures(often) == []
    # Allocations are independent given the draws: a constant 0.3 is mixing, not being stuck.
    even = make_evidence("gibbs", 1, prob_small=np.full((4, 2500), 0.3))
    assert failures(even) == []


def test_too_few_draws_to_say_anything():
    short = make_evidence("mine", 1, draws=5)
    few = Reason(Code.TOO_SHORT, {"draws": 5, "needed": 8}, engine="mine")
    assert failures(short)[0] == few
    assert judge(short, make_evidence("gibbs", 2)).verdict == "inconclusive"
    single = make_evidence("mine", 1, chains=1, draws=1)
    assert judge(single, make_evidence("gibbs", 2)).verdict == "inconclusive"


# --- JSON ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [{}, {"shift": 0.3}, {"copies": ((0, 2),)}, {"chain_log_lik": (0.0, 0.0, -20.0, 0.0)}],
)
def test_a_verdict_survives_json(tmp_path, changed):
    found = judge(make_evidence("a", 1), make_evidence("b", 2, **changed))
    write_json(tmp_path / "pair.json", found.to_dict())
    loaded = PairVerdict.from_dict(json.loads((tmp_path / "pair.json").read_text()))
    assert loaded == found


def test_a_verdict_of_an_earlier_version_is_read_with_its_sentences_and_names():
    found = judge(make_evidence("a", 1), make_evidence("b", 2))
    old = json.loads(json.dumps(found.to_dict()))
    del old["codes"]
    old["reasons"] = ["no difference found"]
    old["functionals"][1]["name"] = "together[q0.1,q0.5]"
    loaded = PairVerdict.from_dict(old)
    assert loaded.functionals[1].name == "coclustering[q0.1,q0.5]"
    assert loaded.reasons == (Reason(Code.EARLIER_VERSION, {"text": "no difference found"}),)
    assert loaded.to_dict()["reasons"] == old["reasons"]
    assert (loaded.verdict, loaded.bound) == (found.verdict, found.bound)


def test_nan_survives_json(tmp_path):
    nan = float("nan")
    result = FunctionalResult("w[1]", "location", 0.0, 0.0, 1.0, nan, 0.1, False)
    verdict = PairVerdict("a", "b", "inconclusive", (), (result,), numbers={"distance": nan})
    write_json(tmp_path / "pair.json", verdict.to_dict())
    loaded = PairVerdict.from_dict(json.loads((tmp_path / "pair.json").read_text()))
    assert np.isnan(loaded.functionals[0].mdd)
    assert np.isnan(loaded.numbers["distance"])

"""Reasons in words: the one place where sentences are compared; all else compares data."""

from __future__ import annotations

import inspect
import json

import pytest

from gmmcompare.comparison.reasons import Code, Reason, ReasonCode
from gmmcompare.comparison.words import clause, headline, phrase, sentence
from gmmcompare.comparison.words.catalogue import SAYS
from gmmcompare.runtime.files import to_json

GAP = {"chains": (3,), "n_chains": 4, "gap": 20.3, "best": "gibbs"}
EMPTY = {"chains": (2,), "n_chains": 4, "share": 0.03, "transitions": 12.2, "needed": 100}
DIFFERENCE = {
    "a": "gibbs",
    "b": "mine",
    "functional": "mu[1]",
    "statistic": "location",
    "diff": -0.203,
    "se": 0.0141,
    "repeats": 1,
}
SAID = [
    (
        Reason(Code.COPIED_CHAINS, {"pairs": ((1, 3), (2, 4))}, engine="mine"),
        "mine: chains 1 and 3, 2 and 4 are copies of each other: they share a random stream.",
    ),
    (
        Reason(
            Code.DEPENDENT_CHAINS,
            {"pairs": ((1, 2), (1, 3)), "correlation": 0.9999, "shift": -25},
            engine="mine",
        ),
        "mine: chains 1 and 2, 1 and 3 are not independent: their innovations have correlation "
        "1.00, 25 draws apart, whatever their labels.",
    ),
    (
        Reason(
            Code.SAME_DRAWS,
            {"a": "gibbs", "b": "mine", "pairs": ((1, 2), (2, 1)), "correlation": 0.9999},
        ),
        "Chain 1 of Gibbs and chain 2 of mine (and 1 more) hold the same draws (correlation of "
        "innovations 1.00): the two engines are no independent witnesses.",
    ),
    (
        Reason(Code.SAME_DRAWS, {"a": "a", "b": "b", "pairs": ((1, 1),), "correlation": -0.5}),
        "Chain 1 of a and chain 1 of b are not independent (correlation of innovations -0.50): the "
        "two engines are no independent witnesses.",
    ),
    (
        Reason(Code.MINOR_MODE, GAP, engine="nuts"),
        "NUTS: chain 3 is in a minor mode: mean log-likelihood 20 below the best of Gibbs.",
    ),
    (
        Reason(Code.MINOR_MODE, {**GAP, "chains": (1, 2, 3, 4), "round": 2}, engine="nuts"),
        "NUTS: when repeated, all chains are in a minor mode: mean log-likelihood up to 20 below "
        "the best of Gibbs.",
    ),
    (
        Reason(Code.MINOR_MODE, {**GAP, "chains": (1, 3), "best": ""}, engine="nuts"),
        "NUTS: chains 1 and 3 are in a minor mode: mean log-likelihood up to 20 below its best "
        "chain.",
    ),
    (
        Reason(Code.TREND, {"chains": (1, 4), "n_chains": 4, "gap": 865.7}, engine="mine"),
        "mine: the log-likelihood of chains 1 and 4 rises: on average it is up to 866 below its "
        "last quarter, as if warm-up were left in.",
    ),
    (
        Reason(Code.MIXED_COMPONENTS, {"field": "mu", "gap": 39.2, "restored": 0.1}, engine="mine"),
        "mine: the means do not belong to the other parameters: in another order of them the mean "
        "log-likelihood is 39 higher; permute w, mu and sigma together.",
    ),
    (
        Reason(Code.RARE_EMPTY_STATES, EMPTY, engine="gibbs"),
        "Gibbs: chain 2 visits states with a nearly empty component (3 % of all draws) but makes "
        "only 12 transitions; 100 are needed.",
    ),
    (
        Reason(
            Code.RARE_EMPTY_STATES, {**EMPTY, "chains": (1, 2), "transitions": 0.9}, engine="gibbs"
        ),
        "Gibbs: chains 1 and 2 visit states with a nearly empty component (3 % of all draws) but "
        "make only 1 transition; 100 are needed.",
    ),
    (Reason(Code.DIVERGENCES, {"count": 1}, engine="nuts"), "NUTS: 1 divergence."),
    (Reason(Code.DIVERGENCES, {"count": 3}, engine="nuts"), "NUTS: 3 divergences."),
    (
        Reason(
            Code.HIGH_RHAT, {"functional": "w[2]", "rhat": 1.0234, "limit": 1.01}, engine="exact"
        ),
        "The exact posterior: R-hat of the weight of component 2 is 1.023; it must be below 1.01.",
    ),
    (
        Reason(Code.TOO_FEW_CHAINS, {"chains": 1, "needed": 4}, engine="nuts"),
        "NUTS: 1 chain; at least 4 are needed to see whether chains found the same mode.",
    ),
    (
        Reason(Code.TOO_SHORT, {"draws": 5, "needed": 8}, engine="mine"),
        "mine: 5 draws per chain; diagnostics need at least 8.",
    ),
    (
        Reason(
            Code.LOW_ESS,
            {"functional": "coclustering[q0.75,q0.95]", "ess": 824.4, "needed": 1000.0},
            engine="gibbs",
        ),
        "Gibbs: ESS of the co-clustering of the 75 % and 95 % points is 824; 1,000 are needed.",
    ),
    (
        Reason(Code.SLOW_COMBINATION, {"ess": 31.4, "needed": 80.0}, engine="gibbs"),
        "Gibbs: ESS of a combination of the quantities is 31; 80 are needed: the chains have a "
        "slow mode, of which every quantity shows a little.",
    ),
    (
        Reason(Code.DIFFERENCE, DIFFERENCE),
        "The mean of component 1 is 0.20 posterior sd lower under Gibbs than under mine (standard "
        "error 0.014), confirmed once with fresh seeds.",
    ),
    (
        Reason(Code.DIFFERENCE, {**DIFFERENCE, "statistic": "spread", "diff": 0.3, "repeats": 0}),
        "The spread of the mean of component 1 is 0.30 posterior sd higher under Gibbs than under "
        "mine (standard error 0.014), which could not be repeated with fresh seeds.",
    ),
    (
        Reason(Code.DIFFERENCE, {**DIFFERENCE, "statistic": "below q0.05", "repeats": 2}),
        "The probability that the mean of component 1 is below its pooled 5 % quantile is 0.20 "
        "posterior sd lower under Gibbs than under mine (standard error 0.014), confirmed twice "
        "with fresh seeds.",
    ),
    (
        Reason(
            Code.UNREPEATED_DIFFERENCE,
            {key: value for key, value in DIFFERENCE.items() if key != "repeats"},
        ),
        "The mean of component 1 is 0.20 posterior sd lower under Gibbs than under mine (standard "
        "error 0.014), which counts for little where chains have not mixed and cannot be repeated "
        "with fresh seeds.",
    ),
    (
        Reason(Code.UNCONFIRMED_DIFFERENCE, {"alpha": 0.01, "confirm_alpha": 0.001}),
        "A difference is significant at 1 %, not confirmed at 0.1 %; run longer.",
    ),
    (
        Reason(Code.NO_DIFFERENCE, {"bound": 0.0432, "statistics": 270}),
        "None of 270 statistics compared differs by more than 0.043 posterior sd.",
    ),
    (
        Reason(
            Code.DIFFERENCE_POSSIBLE,
            {"functional": "log_lik", "bound": 0.132, "ess_needed": 4212.3},
        ),
        "No difference detected, but one of up to 0.13 posterior sd in the log-likelihood cannot "
        "be excluded; about 4,212 effective draws from each engine are needed.",
    ),
    (Reason(Code.NOTHING_VARIES), "No quantity varies in the draws of either engine."),
    (Reason(Code.STATUS, {"status": "did not converge"}, engine="em"), "EM: did not converge."),
    (
        Reason(Code.BELOW_A_DRAW, {"gap": 130.211, "best": "gibbs"}, engine="mine"),
        "mine: a draw of Gibbs is 130.21 higher in log-likelihood: stopped early or in a local "
        "mode.",
    ),
    (
        Reason(Code.NO_ELLIPSE, {"share": 1.0}, engine="gibbs"),
        "Gibbs: a component is nearly empty in 100 % of the draws, so the posterior has no ellipse "
        "in which to place a point.",
    ),
    (
        Reason(
            Code.OUTSIDE_POSTERIOR,
            {"point": "em", "draws": "nuts", "distance": 59.0, "limit": 6.8, "quantile": 0.999},
        ),
        "The point of EM lies outside the posterior of NUTS: Mahalanobis distance 59.0, 99.9 % of "
        "the draws lie within 6.8.",
    ),
    (
        Reason(
            Code.SPIKE,
            {"component": 2, "sigma": 1e-9, "value": -2.711164, "count": 1},
            engine="mine",
        ),
        "mine: component 2 is a spike, sd 1e-09, on 1 observation at -2.71116: the likelihood has "
        "no bound there, and the posterior hardly any mass.",
    ),
    (
        Reason(Code.STOPPED_EARLY, {"log_lik": 97.026, "density": 329.694}, engine="mine"),
        "mine: stopped early: from there EM gains 97.03 in log-likelihood, or 329.69 in log "
        "posterior density.",
    ),
    (
        Reason(
            Code.PRIOR_MOVES,
            {
                "point": "em",
                "draws": "gibbs",
                "distance": 6.35,
                "limit": 5.31,
                "mode_distance": 0.52,
                "parameter": "log_sigma[2]",
                "sds": 3.04,
            },
        ),
        "The point of EM maximises the likelihood and lies outside the posterior of Gibbs because "
        "of the prior (Mahalanobis distance 6.3, limit 5.3), which moves the log sd of component 2 "
        "by 3.0 posterior sd; the posterior mode that belongs to it lies within (0.5).",
    ),
    (
        Reason(Code.AT_MAXIMUM, {"of": "density", "distance": 2.04, "limit": 6.1}),
        "No draw has a higher posterior density, and the point lies within the posterior "
        "(Mahalanobis distance 2.0, limit 6.1).",
    ),
    (
        Reason(Code.SAME_MAXIMUM, {"gap": 0.00123}),
        "Log-likelihoods differ by 0.0012: the same maximum.",
    ),
    (
        Reason(Code.LOWER_MAXIMUM, {"gap": 2.5, "higher": "em"}, engine="lower"),
        "lower: 2.50 lower in log-likelihood than EM: a different maximum.",
    ),
    (
        Reason(Code.DIFFERENT_OBJECTIVES, {"likelier": "em", "denser": "map", "gap": 2.5}),
        "The log-likelihood of EM is 2.50 higher and the posterior density of map: they maximise "
        "different things.",
    ),
    (Reason(Code.EARLIER_VERSION, {"text": "gibbs: as said"}), "Gibbs: as said."),
]


@pytest.mark.parametrize(("reason", "said"), SAID, ids=[reason.code for reason, _ in SAID])
def test_a_reason_in_words(reason: Reason, said: str) -> None:
    assert sentence(reason) == said


def test_every_code_has_words_and_every_word_a_test() -> None:
    assert {reason.code for reason, _ in SAID} == set(Code)


@pytest.mark.parametrize("code", Code)
def test_words_take_the_numbers_that_a_code_documents(code: Code) -> None:
    assert set(inspect.signature(SAYS[code]).parameters) == set(code.numbers)


def test_no_two_kinds_of_result_share_a_code() -> None:
    from gmmcompare.selection.reasons import Code as SelectionCode
    from gmmcompare.validation.reasons import Code as ValidationCode

    codes = [code for kind in (Code, SelectionCode, ValidationCode) for code in kind]
    assert len(set(codes)) == len(codes)
    assert all(ReasonCode.named(str(code)) is code for code in codes)
    with pytest.raises(ValueError, match="no reason has the code 'nonsense'"):
        ReasonCode.named("nonsense")


def test_words_with_and_without_the_engine() -> None:
    reason = Reason(Code.DIVERGENCES, {"count": 3}, engine="gibbs")
    assert phrase(reason) == "3 divergences"
    assert clause(reason) == "Gibbs: 3 divergences"
    assert clause(Reason(Code.NOTHING_VARIES))[0] == "n"


def test_numbers_are_those_that_are_documented() -> None:
    with pytest.raises(ValueError, match="divergences: has"):
        Reason(Code.DIVERGENCES, {"number": 3}, engine="nuts")


@pytest.mark.parametrize("reason", [reason for reason, _ in SAID], ids=lambda reason: reason.code)
def test_a_reason_survives_json(reason: Reason) -> None:
    assert Reason.from_dict(json.loads(to_json(reason.to_dict()))) == reason


def test_a_verdict_in_words() -> None:
    assert headline.agreement(["em", "gibbs", "nuts"], ["em"], 0.0613, 495) == (
        "EM, Gibbs and NUTS agree: none of 495 statistics of the draws of Gibbs and NUTS differs "
        "by more than 0.07 posterior standard deviations, and the point of EM lies within their "
        "posterior."
    )
    assert headline.agreement(["exact", "gibbs"], [], 0.05, 356).startswith(
        "The exact posterior and Gibbs agree: none of 356 statistics compared differs by more than "
        "0.05"
    )
    minor, few = (
        Reason(Code.MINOR_MODE, GAP, engine="nuts"),
        Reason(Code.NOTHING_VARIES),
    )
    assert headline.finding("disagree", ["gibbs", "nuts"], few, ["nuts"], minor) == (
        "Gibbs and NUTS disagree: no quantity varies in the draws of either engine. The suspect is "
        "NUTS (chain 3 is in a minor mode: mean log-likelihood 20 below the best of Gibbs)."
    )


def test_a_point_that_the_prior_moves_is_told_apart() -> None:
    said = headline.agreement(["em", "gibbs", "nuts"], ["em"], 0.05, 495, ["em"])
    assert said.endswith(
        "0.05 posterior standard deviations. The point of EM, a maximum of the likelihood, is "
        "outside only because of the prior."
    )

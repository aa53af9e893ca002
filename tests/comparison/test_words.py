"""Reasons in words: the one place where sentences are compared; all else compares data."""

from __future__ import annotations

import pytest

from gmmcompare.comparison.reasons import Code, Reason
from gmmcompare.comparison.words import clause, headline, phrase, sentence

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
        Reason(Code.COPIED_CHAINS, "mine", {"pairs": ((1, 3), (2, 4))}),
        "mine: chains 1 and 3, 2 and 4 are copies of each other: they share a random stream.",
    ),
    (
        Reason(Code.MINOR_MODE, "nuts", GAP),
        "NUTS: chain 3 is in a minor mode: mean log-likelihood 20 below the best of Gibbs.",
    ),
    (
        Reason(Code.MINOR_MODE, "nuts", {**GAP, "chains": (1, 2, 3, 4), "round": 2}),
        "NUTS: when repeated, all chains are in a minor mode: mean log-likelihood up to 20 below "
        "the best of Gibbs.",
    ),
    (
        Reason(Code.MINOR_MODE, "nuts", {**GAP, "chains": (1, 3), "best": ""}),
        "NUTS: chains 1 and 3 are in a minor mode: mean log-likelihood up to 20 below its best "
        "chain.",
    ),
    (
        Reason(Code.RARE_EMPTY_STATES, "gibbs", EMPTY),
        "Gibbs: chain 2 visits states with a nearly empty component (3 % of all draws) but makes "
        "only 12 transitions; 100 are needed.",
    ),
    (
        Reason(Code.RARE_EMPTY_STATES, "gibbs", {**EMPTY, "chains": (1, 2), "transitions": 0.9}),
        "Gibbs: chains 1 and 2 visit states with a nearly empty component (3 % of all draws) but "
        "make only 1 transition; 100 are needed.",
    ),
    (Reason(Code.DIVERGENCES, "nuts", {"count": 1}), "NUTS: 1 divergence."),
    (Reason(Code.DIVERGENCES, "nuts", {"count": 3}), "NUTS: 3 divergences."),
    (
        Reason(Code.HIGH_RHAT, "exact", {"functional": "w[2]", "rhat": 1.0234, "limit": 1.01}),
        "The exact posterior: R-hat of the weight of component 2 is 1.023; it must be below 1.01.",
    ),
    (
        Reason(Code.TOO_FEW_CHAINS, "nuts", {"chains": 1, "needed": 4}),
        "NUTS: 1 chain; at least 4 are needed to see whether chains found the same mode.",
    ),
    (
        Reason(Code.TOO_SHORT, "mine", {"draws": 5, "needed": 8}),
        "mine: 5 draws per chain; diagnostics need at least 8.",
    ),
    (
        Reason(
            Code.LOW_ESS,
            "gibbs",
            {"functional": "coclustering[q0.75,q0.95]", "ess": 824.4, "needed": 1000.0},
        ),
        "Gibbs: ESS of the co-clustering of the 75 % and 95 % points is 824; 1,000 are needed.",
    ),
    (
        Reason(Code.DIFFERENCE, "", DIFFERENCE),
        "The mean of component 1 is 0.20 posterior sd lower under Gibbs than under mine (standard "
        "error 0.014), confirmed once with fresh seeds.",
    ),
    (
        Reason(
            Code.DIFFERENCE, "", {**DIFFERENCE, "statistic": "spread", "diff": 0.3, "repeats": 0}
        ),
        "The spread of the mean of component 1 is 0.30 posterior sd higher under Gibbs than under "
        "mine (standard error 0.014), which could not be repeated with fresh seeds.",
    ),
    (
        Reason(Code.DIFFERENCE, "", {**DIFFERENCE, "statistic": "below q0.05", "repeats": 2}),
        "The probability that the mean of component 1 is below its pooled 5 % quantile is 0.20 "
        "posterior sd lower under Gibbs than under mine (standard error 0.014), confirmed twice "
        "with fresh seeds.",
    ),
    (
        Reason(Code.UNCONFIRMED_DIFFERENCE, "", {"alpha": 0.01, "confirm_alpha": 0.001}),
        "A difference is significant at 1 %, not confirmed at 0.1 %; run longer.",
    ),
    (
        Reason(Code.NO_DIFFERENCE, "", {"bound": 0.0432, "statistics": 270}),
        "No difference detected in 270 statistics; none above 0.043 posterior sd is left possible.",
    ),
    (
        Reason(
            Code.DIFFERENCE_POSSIBLE,
            "",
            {"functional": "log_lik", "bound": 0.132, "ess_needed": 4212.3},
        ),
        "No difference detected, but one of up to 0.13 posterior sd in the log-likelihood is still "
        "possible; about 4,212 effective draws from each engine would decide.",
    ),
    (Reason(Code.NOTHING_VARIES), "No quantity varies in the draws of either engine."),
    (Reason(Code.STATUS, "em", {"status": "did not converge"}), "EM: did not converge."),
    (
        Reason(Code.BELOW_A_DRAW, "mine", {"gap": 130.211, "best": "gibbs"}),
        "mine: a draw of Gibbs is 130.21 higher in log-likelihood: stopped early or in a local "
        "mode.",
    ),
    (
        Reason(Code.NO_ELLIPSE, "gibbs", {"share": 1.0}),
        "Gibbs: a component is nearly empty in 100 % of the draws, so the posterior has no ellipse "
        "in which to place a point.",
    ),
    (
        Reason(
            Code.OUTSIDE_POSTERIOR,
            "",
            {"point": "em", "draws": "nuts", "distance": 59.0, "limit": 6.8, "quantile": 0.999},
        ),
        "The point of EM lies outside the posterior of NUTS: Mahalanobis distance 59.0, 99.9 % of "
        "the draws lie within 6.8.",
    ),
    (
        Reason(Code.AT_MAXIMUM, "", {"of": "density", "distance": 2.04, "limit": 6.1}),
        "No draw has a higher posterior density, and the point lies within the posterior "
        "(Mahalanobis distance 2.0, limit 6.1).",
    ),
    (
        Reason(Code.SAME_MAXIMUM, "", {"gap": 0.00123}),
        "Log-likelihoods differ by 0.0012: the same maximum.",
    ),
    (
        Reason(Code.LOWER_MAXIMUM, "lower", {"gap": 2.5, "higher": "em"}),
        "lower: 2.50 lower in log-likelihood than EM: not the same maximum.",
    ),
    (
        Reason(Code.DIFFERENT_OBJECTIVES, "", {"likelier": "em", "denser": "map", "gap": 2.5}),
        "The log-likelihood of EM is 2.50 higher and the posterior density of map: they maximise "
        "different things.",
    ),
    (
        Reason(
            Code.SELECTED_BY_MAXIMUM,
            "",
            {"criterion": "bic", "selected": 3, "gaps": ((2, 1234.52), (4, 12.34))},
        ),
        "BIC selects K = 3; K = 4 is 12.3 higher (very strong preference).",
    ),
    (
        Reason(Code.SELECTED_BY_MAXIMUM, "", {"criterion": "aic", "selected": 3, "gaps": ()}),
        "AIC selects K = 3.",
    ),
    (
        Reason(
            Code.SELECTED_BY_LOO,
            "",
            {
                "draws": "nuts",
                "selected": 3,
                "alike": ((4, 0.61, 0.12),),
                "worse": ((1, 1532.04, 40.2), (2, 62.3, 11.04)),
            },
        ),
        "LOO (NUTS draws) is highest at K = 3, not distinguishable from K = 4 (0.6 ± 0.1 lower); "
        "of the others K = 2 comes nearest, 62.3 ± 11.0 lower.",
    ),
    (
        Reason(
            Code.SELECTED_BY_LOO,
            "",
            {"draws": "gibbs", "selected": 2, "alike": (), "worse": ((1, 32.0, 4.0),)},
        ),
        "LOO (Gibbs draws) is highest at K = 2; K = 1 is 32.0 ± 4.0 lower.",
    ),
    (
        Reason(
            Code.SELECTED_BY_EVIDENCE,
            "",
            {
                "draws": "nuts",
                "selected": 3,
                "probability": 0.93,
                "low": 0.91,
                "high": 0.95,
                "gaps": ((2, 8.21, 0.09), (4, 2.61, 0.12)),
            },
        ),
        "Posterior probability of K = 3: 0.930 (NUTS draws; 90 % interval of the estimate 0.910 to "
        "0.950); its log evidence is 2.61 ± 0.12 above that of K = 4 (positive preference).",
    ),
    (
        Reason(
            Code.SELECTED_BY_EVIDENCE,
            "",
            {
                "draws": "exact",
                "selected": 3,
                "probability": 0.99999,
                "low": 0.9999,
                "high": 1.0,
                "gaps": (),
            },
        ),
        "Posterior probability of K = 3: above 0.999 (exact draws).",
    ),
    (
        Reason(Code.NO_SELECTION, "", {"criterion": "icl"}),
        "ICL has no value: there is no fit by EM.",
    ),
    (
        Reason(Code.NO_VALUE, "", {"criterion": "bic", "run": True}).of_components(2),
        "K = 2: no BIC, as EM found no maximum.",
    ),
    (
        Reason(
            Code.HIGH_PARETO_K, "", {"draws": "gibbs", "count": 3, "n": 6037, "limit": 0.7}
        ).of_components(4),
        "K = 4: Pareto k exceeds 0.7 for 3 of 6,037 observations, whose contributions to LOO "
        "(Gibbs draws) are unreliable.",
    ),
    (
        Reason(Code.MODES_POOLED, "", {"draws": "gibbs"}).of_components(3),
        "K = 3: LOO (Gibbs draws) weights all chains equally, not each mode by its posterior "
        "probability.",
    ),
    (
        Reason(
            Code.SEVERAL_MODES,
            "",
            {"draws": "gibbs", "modes": (((1, 3, 4), 0.25), ((2,), 0.75))},
        ).of_components(3),
        "K = 3: the chains of Gibbs sit in 2 modes and do not move between them. The evidence is "
        "the sum over these modes (share of the posterior: chains 1, 3 and 4 25 %; chain 2 75 %); "
        "a mode that no chain found is missing from it.",
    ),
    (
        Reason(Code.DOUBTFUL_DRAWS, "", {"draws": "gibbs", "at": (1, 3)}),
        "The draws of Gibbs are in doubt at K = 1 and 3.",
    ),
    (
        Reason(Code.NO_FIT, "em", {"error": "em: all starts collapsed"}).of_components(2),
        "K = 2, EM: no fit (em: all starts collapsed).",
    ),
    (Reason(Code.ALL_SELECT, "", {"selected": 2}), "All criteria select K = 2."),
    (
        Reason(
            Code.CRITERIA_DIFFER,
            "",
            {"choices": ((3, (("aic", ""), ("loo", "gibbs"))), (2, (("bic", ""),)))},
        ),
        "The criteria disagree: AIC and LOO (Gibbs draws) select K = 3; BIC selects K = 2.",
    ),
    (
        Reason(
            Code.PRICE_OF_COMPONENTS,
            "",
            {"draws": "nuts", "selected": 2, "more": 3, "gain": 1.2, "loss": 3.4},
        ),
        "From K = 2 to K = 3 the maximum log-likelihood rises by 1.2 and the log evidence (NUTS "
        "draws) falls by 3.4: averaging over the prior costs 4.6. The wider the priors, the more "
        "each further component costs (Bartlett 1957, Lindley 1957): the evidence is conditional "
        "on these priors, and where they are vague it says little about whether a component is "
        "there. LOO, AIC and BIC hardly depend on the priors.",
    ),
    (
        Reason(
            Code.ENGINES_APART,
            "",
            {"criterion": "evidence", "engines": ("gibbs", "nuts"), "at": ((2, 1.02, 0.05),)},
        ),
        "Estimates of the log evidence by Gibbs and NUTS differ by more than Monte Carlo error at "
        "K = 2 (1.02 apart, standard error 0.05). The smaller may have missed a mode that none of "
        "its chains visited.",
    ),
    (
        Reason(
            Code.ENGINES_ALIKE,
            "",
            {"criterion": "loo", "engines": ("gibbs", "nuts"), "largest": 1.23},
        ),
        "Estimates of LOO by Gibbs and NUTS agree at every K, within 1.2 Monte Carlo standard "
        "errors.",
    ),
    (
        Reason(Code.LARGEST_SELECTED, "", {"largest": 6, "criteria": ("bic",)}),
        "BIC selects the largest K tried (6): a larger K may do better still.",
    ),
    (Reason(Code.EARLIER_VERSION, "", {"text": "gibbs: as said"}), "Gibbs: as said."),
]


@pytest.mark.parametrize(("reason", "said"), SAID, ids=[reason.code for reason, _ in SAID])
def test_a_reason_in_words(reason: Reason, said: str) -> None:
    assert sentence(reason) == said


def test_every_code_has_words_and_every_word_a_test() -> None:
    assert {reason.code for reason, _ in SAID} == set(Code)


def test_words_with_and_without_the_engine() -> None:
    reason = Reason(Code.DIVERGENCES, "gibbs", {"count": 3})
    assert phrase(reason) == "3 divergences"
    assert clause(reason) == "Gibbs: 3 divergences"
    assert clause(Reason(Code.NOTHING_VARIES))[0] == "n"


def test_numbers_are_those_that_are_documented() -> None:
    with pytest.raises(ValueError, match="divergences: has"):
        Reason(Code.DIVERGENCES, "nuts", {"number": 3})


@pytest.mark.parametrize("reason", [reason for reason, _ in SAID], ids=lambda reason: reason.code)
def test_a_reason_survives_json(reason: Reason) -> None:
    import json

    from gmmcompare.runtime.files import to_json

    assert Reason.from_dict(json.loads(to_json(reason.to_dict()))) == reason


def test_a_verdict_in_words() -> None:
    assert headline.agreement(["em", "gibbs", "nuts"], ["em"], 0.0613) == (
        "EM, Gibbs and NUTS agree: Gibbs and NUTS differ by no more than 0.07 posterior standard "
        "deviations in any quantity compared, and the point of EM lies within their posterior."
    )
    assert headline.agreement(["exact", "gibbs"], [], 0.05).startswith(
        "The exact posterior and Gibbs agree: they differ by no more than 0.05"
    )
    minor, few = (
        Reason(Code.MINOR_MODE, "nuts", GAP),
        Reason(Code.NOTHING_VARIES),
    )
    assert headline.finding("disagree", ["gibbs", "nuts"], few, ["nuts"], minor) == (
        "Gibbs and NUTS disagree: no quantity varies in the draws of either engine. The suspect is "
        "NUTS (chain 3 is in a minor mode: mean log-likelihood 20 below the best of Gibbs)."
    )

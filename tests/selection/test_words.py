"""Conclusions in words; everywhere else codes and numbers are compared."""

from __future__ import annotations

import inspect
import json

import pytest

from gmmcompare.comparison.reasons import Reason
from gmmcompare.comparison.words.catalogue import SAYS
from gmmcompare.runtime.files import to_json
from gmmcompare.selection.reasons import Code
from gmmcompare.selection.words import sentence

SAID = [
    (
        Reason(
            Code.SELECTED_BY_MAXIMUM,
            {"criterion": "bic", "selected": 3, "gaps": ((2, 1234.52), (4, 12.34))},
        ),
        "BIC selects K = 3; K = 4 is 12.3 higher (very strong preference).",
    ),
    (
        Reason(Code.SELECTED_BY_MAXIMUM, {"criterion": "aic", "selected": 3, "gaps": ()}),
        "AIC selects K = 3.",
    ),
    (
        Reason(
            Code.SELECTED_BY_LOO,
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
            {"draws": "gibbs", "selected": 2, "alike": (), "worse": ((1, 32.0, 4.0),)},
        ),
        "LOO (Gibbs draws) is highest at K = 2; K = 1 is 32.0 ± 4.0 lower.",
    ),
    (
        Reason(
            Code.SELECTED_BY_EVIDENCE,
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
        Reason(Code.NO_SELECTION, {"criterion": "icl"}),
        "ICL has no value: there is no fit by EM.",
    ),
    (
        Reason(Code.NO_VALUE, {"criterion": "bic", "run": True}).of_components(2),
        "K = 2: no BIC, as EM found no maximum.",
    ),
    (
        Reason(
            Code.HIGH_PARETO_K,
            {"draws": "gibbs", "count": 3, "n": 6037, "limit": 0.7, "refits": 50},
        ).of_components(4),
        "K = 4: Pareto k exceeds 0.7 for 3 of 6,037 observations that refits without them did not "
        "settle (at most 50 are made); their contributions to LOO (Gibbs draws) are unreliable and "
        "its Monte Carlo error is not known.",
    ),
    (
        Reason(Code.MODES_POOLED, {"draws": "gibbs"}).of_components(3),
        "K = 3: LOO (Gibbs draws) weights all chains equally, not each mode by its posterior "
        "probability.",
    ),
    (
        Reason(
            Code.SEVERAL_MODES,
            {"draws": "gibbs", "modes": (((1, 3, 4), 0.25), ((2,), 0.75))},
        ).of_components(3),
        "K = 3: the chains of Gibbs sit in 2 modes and do not move between them. The evidence is "
        "the sum over these modes (share of the posterior: chains 1, 3 and 4 25 %; chain 2 75 %); "
        "a mode that no chain found is missing from it.",
    ),
    (
        Reason(
            Code.RARE_OCCUPANCY, {"draws": "gibbs", "changes": 2.28, "needed": 100.0}
        ).of_components(2),
        "K = 2: the log evidence is inconclusive beyond what the draws of Gibbs visited: they are "
        "expected to have changed 2.3 times between states with and without an empty component "
        "(100 are needed), so that the share of the rarer is not known, and the standard error "
        "does not cover it; multiply engines.gibbs.draws by 44 (--set).",
    ),
    (
        Reason(Code.DOUBTFUL_DRAWS, {"draws": "gibbs", "at": (1, 3)}),
        "The draws of Gibbs are in doubt at K = 1 and 3; `gmmcompare compare CARD --set "
        "mixture.components=1` says why, and what would settle it.",
    ),
    (
        Reason(Code.NO_FIT, {"error": "em: all starts collapsed"}, engine="em").of_components(2),
        "K = 2, EM: no fit (em: all starts collapsed).",
    ),
    (Reason(Code.ALL_SELECT, {"selected": 2}), "All criteria select K = 2."),
    (
        Reason(
            Code.CRITERIA_DIFFER,
            {"choices": ((3, (("aic", ""), ("loo", "gibbs"))), (2, (("bic", ""),)))},
        ),
        "The criteria disagree: AIC and LOO (Gibbs draws) select K = 3; BIC selects K = 2.",
    ),
    (
        Reason(
            Code.PRICE_OF_COMPONENTS,
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
            {"criterion": "evidence", "engines": ("gibbs", "nuts"), "at": ((2, 1.02, 0.05),)},
        ),
        "Estimates of the log evidence by Gibbs and NUTS differ by more than Monte Carlo error at "
        "K = 2 (1.02 apart, standard error 0.05). The smaller may have missed a mode that none of "
        "its chains visited.",
    ),
    (
        Reason(
            Code.ENGINES_ALIKE,
            {"criterion": "loo", "engines": ("gibbs", "nuts"), "largest": 1.23},
        ),
        "Estimates of LOO by Gibbs and NUTS agree at every K, within 1.2 Monte Carlo standard "
        "errors.",
    ),
    (
        Reason(Code.LARGEST_SELECTED, {"largest": 6, "criteria": ("bic",)}),
        "BIC selects the largest K tried (6): a larger K may do better still.",
    ),
]


@pytest.mark.parametrize(("reason", "said"), SAID, ids=[reason.code for reason, _ in SAID])
def test_a_conclusion_in_words(reason: Reason, said: str) -> None:
    assert sentence(reason) == said


def test_every_code_has_words_and_every_word_a_test() -> None:
    assert {reason.code for reason, _ in SAID} == set(Code)


@pytest.mark.parametrize("code", Code)
def test_words_take_the_numbers_that_a_code_documents(code: Code) -> None:
    assert set(inspect.signature(SAYS[code]).parameters) == set(code.numbers)


@pytest.mark.parametrize("reason", [reason for reason, _ in SAID], ids=lambda reason: reason.code)
def test_a_conclusion_survives_json(reason: Reason) -> None:
    assert Reason.from_dict(json.loads(to_json(reason.to_dict()))) == reason

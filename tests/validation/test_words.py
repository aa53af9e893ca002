"""Words for findings: every code has them, and none contradicts itself."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest

from gmmcompare.comparison import reasons as of_pair
from gmmcompare.comparison.words.catalogue import SAYS
from gmmcompare.runtime.files import to_json
from gmmcompare.validation import words
from gmmcompare.validation.reasons import Code, Reason, from_codes, to_codes
from gmmcompare.validation.words import phrase, rate

CHAINS = {
    "met": 2,
    "data_sets": 4,
    "chains": 4,
    "sweeps": 4000,
    "quantity": "mu",
    "rhat": 1.3,
    "limit": 1.1,
}
SAMPLES = [
    Reason(Code.BROKEN_CALL, {"what": "raised", "message": "it raised"}),
    Reason(Code.BROKEN_CALL, {"what": "does not move", "message": "sigma stays"}),
    Reason(Code.OUT_OF_TIME, {"done": 0, "wanted": 0}),
    Reason(Code.OUT_OF_TIME, {"done": 500, "wanted": 1000}),
    Reason(
        Code.CONTRACT_KEPT,
        {"kind": "kernel", "reproducible": True, "vectors": False, "stream": "only"},
    ),
    Reason(Code.CONDITIONALS_CORRECT, {"ratios": [], "draws": ["means"], "tolerance": 1e-10}),
    Reason(Code.WRONG_RATIO, {"conditional": "means", "error": 0.25}),
    Reason(Code.WRONG_RATIO, {"conditional": "means", "error": np.inf}),
    Reason(Code.WRONG_DRAWS, {"conditional": "means"}),
    Reason(Code.INVARIANT, {"replicates": 1000, "priors": 7, "effect": 0.2}),
    Reason(Code.THIN_EVIDENCE, {"priors": 2, "K": 1}),
    Reason(Code.THIN_EVIDENCE, {"priors": 1, "K": 2}),
    Reason(Code.NOT_INVARIANT, {"log10_wealth": 12.3, "replicates": 500, "alpha": 1e-5}),
    Reason(Code.SUSPICIOUS, {"log10_wealth": 3.4, "replicates": 500}),
    Reason(Code.CALIBRATED, {"quantities": 13, "replicates": 500, "thin": 3}),
    Reason(
        Code.RANKS_NOT_UNIFORM, {"quantity": "mu_1", "p": 1e-9, "quantities": 13, "replicates": 50}
    ),
    Reason(Code.NOT_CALIBRATED, {"log10_wealth": 6.0, "replicates": 100}),
    Reason(Code.EXACT, {"chains": 160, "observations": 8}),
    Reason(
        Code.NOT_EXACT,
        {"quantity": "mu 1, spread", "off": -0.1, "se": 0.01, "chains": 160, "observations": 8},
    ),
    Reason(Code.NOT_SO_FEW, {"observations": 12}),
    Reason(Code.CHAINS_STAND_STILL, {"still": 40, "chains": 160, "draws": 50, "warmup": 100}),
    Reason(Code.CHAINS_MEET, {**CHAINS, "met": 4, "rhat": 1.01}),
    Reason(Code.CHAINS_APART, CHAINS),
    Reason(Code.CHAINS_APART, {**CHAINS, "rhat": np.inf}),
    Reason(Code.MUTANTS, {"caught": 0, "counted": 0, "equivalent": 1, "missed": []}),
    Reason(
        Code.MUTANTS,
        {
            "caught": 1,
            "counted": 2,
            "equivalent": 1,
            "missed": [{"file": "a.py", "line": 3, "change": "", "before": "x / 2", "after": "x"}],
        },
    ),
    Reason(
        Code.SCALAR_MOVES,
        {
            "parameter": "tau",
            "shape": "location",
            "larger": True,
            "before": 1.0,
            "after": 2.0,
            "at_once": True,
            "sweeps": 5,
        },
    ),
    Reason(
        Code.SCALAR_MOVES,
        {
            "parameter": "tau",
            "shape": "spread",
            "larger": False,
            "before": 2.0,
            "after": 1.0,
            "at_once": False,
            "sweeps": 5,
        },
    ),
    Reason(
        Code.SCALAR_MOVES,
        {
            "parameter": "tau",
            "shape": "spread",
            "larger": True,
            "before": 2.0,
            "after": 1.0,
            "at_once": False,
            "sweeps": 5,
        },
    ),
    *(
        Reason(
            Code.DEPENDS_WRONGLY,
            {"parameter": "tau", "kind": kind, "shape": shape, "larger": larger},
        )
        for kind in ("data", "score")
        for shape in ("location", "spread")
        for larger in (True, False)
    ),
    Reason(
        Code.MODEL_SCOPE,
        {
            "kind": "kernel",
            "model": "mine.py:model",
            "parameters": {"tau": [], "beta": [2, 3]},
            "quantities": 33,
            "kinds": ["marginal", "data", "score", "whole", "product"],
        },
    ),
    Reason(Code.NO_DENSITIES, {"missing": ["log_prior"]}),
    Reason(Code.OTHER_DATA),
    Reason(Code.NOT_MOVED, {"parameters": ["tau"]}),
    Reason(Code.SMALL_ERRORS_OF_MODEL, {"quick": True, "effect": 0.1}),
    Reason(Code.JOINT_KEPT, {"quantities": 100, "sweeps": 20_000}),
    Reason(Code.JOINT_DRIFTS, {"quantity": "log prior", "t": -9.0}),
    Reason(Code.ON_DATA, {"observations": 82, "verdict": "agree", "reason": {}}),
    Reason(
        Code.ON_DATA,
        {
            "observations": 82,
            "verdict": "inconclusive",
            "reason": of_pair.Reason(of_pair.Code.NOTHING_VARIES).to_dict(),
        },
    ),
    Reason(Code.LABELS_SORTED, {"together": True}),
    Reason(
        Code.PARAMETER_OFF,
        {
            "parameter": "sigma",
            "shape": "location",
            "changes": {"empty": 0.3, "several": -0.1},
            "hint": "draw",
            "scene": "sparse",
        },
    ),
    Reason(Code.WEIGHTS_OFF, {"change": -0.02, "scene": "sparse"}),
    Reason(
        Code.MOST_MOVED,
        {"quantity": "log prior", "marginal": False, "larger": False, "scene": "sparse"},
    ),
    Reason(
        Code.ONLY_ELSEWHERE, {"scenes": ["sparse"], "sizes": ["K = 3, N = 12"], "crowded": True}
    ),
    Reason(Code.KEPT_TOO_LONG),
    Reason(Code.UNLIKE_ANY_FAULT),
    Reason(Code.OTHER_MODEL, {"model": "one-sigma", "parameter": "sigma", "certain": True}),
    Reason(Code.OTHER_MODEL, {"model": "known", "parameter": "w", "certain": True}),
    Reason(Code.OTHER_MODEL, {"model": "conjugate", "parameter": "mu", "certain": False}),
    Reason(Code.OTHER_MODEL, {"model": "hyperprior", "parameter": "sigma", "certain": False}),
    Reason(Code.OTHER_MODEL, {"model": "prior", "parameter": "mu", "certain": False}),
    Reason(Code.RANKS_OFF, {"quantity": "mu_1", "way": "spread", "mean_rank": 0.5}),
    Reason(Code.NOT_REPRODUCIBLE),
    Reason(Code.RNG_UNUSED),
    Reason(Code.RNG_NOT_ALONE),
    Reason(Code.PERMUTES_LABELS, {"differing": True}),
    Reason(Code.PERMUTES_LABELS, {"differing": False}),
    Reason(Code.REMEMBERS),
    Reason(Code.PRINTED, {"lines": 1, "log": ""}),
    Reason(Code.WARNED, {"message": "RuntimeWarning: nearly zero"}),
    Reason(
        Code.REFUSED, {"scene": "sparse", "vector": True, "what": "raised", "message": "it raised"}
    ),
    *(
        Reason(
            Code.SCOPE,
            {
                "kind": "kernel",
                "sizes": [(2, 12), (2, 1000)],
                "taken": [2],
                "refused": [3, 5],
                "unequal": unequal,
                "equal": equal,
            },
        )
        for unequal, equal in (
            (["mean_loc", "mean_sd"], []),
            (["mean_loc"], ["mean_sd"]),
            ([], ["mean_loc", "mean_sd"]),
            ([], []),
        )
    ),
    Reason(Code.SIZES_REFUSED, {"sizes": [3, 5], "what": "raised", "message": "it raised"}),
    Reason(Code.OTHER_SIZES, {"sizes": [(3, 12), (2, 40)]}),
    Reason(Code.SMALL_ERRORS, {"quick": True, "effect": 0.1, "percent": 15.0}),
    Reason(Code.SMALL_ERRORS, {"quick": False, "effect": 0.1, "percent": 15.0}),
    Reason(Code.REAL_DATA, {"most": 1000, "tied": True}),
    Reason(Code.REAL_DATA, {"most": 40, "tied": False}),
    Reason(Code.ONE_PRIOR),
    Reason(Code.SINGLE_SWEEPS),
    Reason(Code.NO_CONDITIONALS),
    Reason(Code.EXACT_SKIPPED),
]


def test_there_is_a_sample_of_every_code() -> None:
    assert {sample.code for sample in SAMPLES} == set(Code)


@pytest.mark.parametrize("code", Code)
def test_words_take_the_numbers_that_a_code_documents(code: Code) -> None:
    assert set(inspect.signature(SAYS[code]).parameters) == set(code.numbers)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample.code))
def test_a_phrase_can_stand_within_a_sentence(sample: Reason) -> None:
    said = phrase(sample)
    assert said
    assert said == " ".join(said.split())
    assert not said.endswith(".")
    assert "nan" not in said
    assert "None" not in said


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample.code))
def test_json_says_the_same(sample: Reason) -> None:
    """Of infinity too, which JSON does not have."""
    (again,) = from_codes(json.loads(to_json({"codes": to_codes([sample])}))["codes"])
    assert phrase(again) == phrase(sample)


def test_numbers_that_a_code_does_not_have_are_refused() -> None:
    with pytest.raises(ValueError, match="wrong-draws"):
        Reason(Code.WRONG_DRAWS)


def test_a_rate_is_written_as_it_is_read() -> None:
    assert [rate(p) for p in (1.1e-5, 1e-5, 1.26e-4)] == ["1.1e-5", "1e-5", "1.3e-4"]


@pytest.mark.parametrize("marginal", [True, False])
def test_that_no_parameter_is_off_is_not_said_of_a_parameter(marginal: bool) -> None:
    numbers = {"quantity": "mu, component 1", "marginal": marginal}
    said = phrase(Reason(Code.MOST_MOVED, {**numbers, "larger": False, "scene": "sparse"}))
    assert "mu, component 1: too small" in said
    assert ("by themselves show no clear error" in said) != marginal


def test_every_hint_and_kind_of_component_has_words() -> None:
    for hint in words.diagnosis._HINTS:
        for load in words.diagnosis._LOADS:
            for parameter in ("mu", "sigma"):
                for shape in ("location", "spread"):
                    numbers = {"parameter": parameter, "shape": shape, "changes": {load: -0.5}}
                    numbers |= {"hint": hint, "scene": "sparse"}
                    said = phrase(Reason(Code.PARAMETER_OFF, numbers))
                    assert ("too narrow" in said) == (shape == "spread")

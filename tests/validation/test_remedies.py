"""What would settle an inconclusive validation: for every reason that leaves one open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from gmmcompare.comparison import reasons as of_pair
from gmmcompare.comparison.words import sentence
from gmmcompare.comparison.words.catalogue import SAYS
from gmmcompare.runtime.files import to_json
from gmmcompare.validation.reasons import Code, Reason, Remedy, to_codes
from gmmcompare.validation.verdict import Check, Diagnosis, Validation

SMALL = {"effect": 0.2, "percent": 5.0}
CHAINS = {
    "met": 1,
    "data_sets": 2,
    "chains": 4,
    "sweeps": 900,
    "quantity": "mu",
    "rhat": 3.0,
    "limit": 1.1,
}
STILL = {"still": 3, "chains": 4, "draws": 10, "warmup": 20}


def found(
    *reasons: Reason,
    quick: bool = False,
    data: Mapping[str, Any] | None = None,
    verdict: str = "inconclusive",
) -> Validation:
    checks = tuple(Check("check", verdict, (reason,), data=data or {}) for reason in reasons)  # type: ignore[arg-type]
    untested = (Reason(Code.SMALL_ERRORS, {"quick": quick, **SMALL}),)
    return Validation("mine", "kernel", checks, Diagnosis(), (), untested, seed=3, seconds=300.0)


BAD = {"log10_wealth": 9.0, "replicates": 9, "alpha": 1e-5}
OUT = Reason(Code.OUT_OF_TIME, {"done": 500, "wanted": 2000})
NO_IDEA = Reason(Code.OUT_OF_TIME, {"done": 0, "wanted": 0})
SUSPICIOUS = Reason(Code.SUSPICIOUS, {"log10_wealth": 3.4, "replicates": 500})
CASES = [
    (OUT, False, "Allow more time: --time-limit 1800 (in Python time_limit=1800)."),
    (NO_IDEA, False, "Allow more time: --time-limit 1200 (in Python time_limit=1200)."),
    (SUSPICIOUS, True, "Validate it again with --seed 4 and without --quick: "),
    (SUSPICIOUS, False, "Validate it again with --seed 4: "),
    (
        Reason(Code.THIN_EVIDENCE, {"priors": 1, "K": 1}),
        False,
        "No setting helps: let it take two components or more.",
    ),
    (
        Reason(Code.THIN_EVIDENCE, {"priors": 1, "K": 3}),
        False,
        "No setting helps: let it take the prior that it refused",
    ),
    (
        Reason(Code.NOT_SO_FEW, {"observations": 16}),
        False,
        "No setting helps: let it take 16 observations or fewer.",
    ),
    (Reason(Code.CHAINS_STAND_STILL, STILL), False, "No setting helps: let it move faster"),
    (Reason(Code.CHAINS_APART, CHAINS), True, "No setting helps: let it move faster"),
    (Reason(Code.CHAINS_APART, CHAINS), False, "No setting helps: let it move faster"),
]


@pytest.mark.parametrize(("reason", "quick", "said"), CASES)
def test_a_reason_that_leaves_it_open_says_what_to_do(
    reason: Reason, quick: bool, said: str
) -> None:
    validation = found(reason, quick=quick)
    (remedy,) = validation.remedies
    assert remedy.startswith(said)
    assert f"  to settle it: {remedy}" in str(validation).splitlines()
    again = Validation.from_json(validation.to_json())
    assert again.remedies == validation.remedies


def test_every_remedy_is_tested_and_has_words() -> None:
    tested = {
        code["code"]
        for reason, quick, _ in CASES
        for code in found(reason, quick=quick).to_dict()["codes"]["remedies"]
    }
    assert tested == set(Remedy)
    assert set(Remedy) <= set(SAYS)


def test_the_longest_time_of_several_counts_and_nothing_is_said_twice() -> None:
    assert len(found(OUT, NO_IDEA, SUSPICIOUS, SUSPICIOUS).remedies) == 2


def test_no_time_is_named_that_is_shorter_than_the_default() -> None:
    hasty = replace(found(OUT), seconds=2.0)
    assert hasty.remedies == ("Allow more time: --time-limit 900 (in Python time_limit=900).",)


def test_a_failure_needs_no_remedy() -> None:
    failed = found(Reason(Code.NOT_INVARIANT, BAD))
    assert found(OUT, verdict="failed").remedies == ()
    assert failed.remedies == ()


def test_the_comparison_with_nuts_says_what_it_needs() -> None:
    needed = Reason(
        of_pair.Remedy.RUN_WITH, {"settings": {"engines.custom.draws": 9000}}, engine="yours"
    )
    on_data = Reason(Code.ON_DATA, {"observations": 82, "verdict": "inconclusive", "reason": {}})
    validation = found(on_data, data={"remedies": to_codes([needed])})
    assert validation.remedies == (sentence(needed),)
    assert "engines.custom.draws=9000" in to_json(validation.to_dict())

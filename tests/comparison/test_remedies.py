"""What would settle an inconclusive comparison: for every reason that leaves one open."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from gmmcompare.comparison.agreement import PairVerdict
from gmmcompare.comparison.reasons import Code, Reason, Remedy, settings_of
from gmmcompare.comparison.remedies import remedies, rounded_up
from gmmcompare.comparison.words import phrase, sentence
from gmmcompare.comparison.words import remedies as words
from gmmcompare.comparison.words.catalogue import SAYS
from gmmcompare.model.card import EngineSection
from gmmcompare.runtime.files import to_json

CHAINS, DRAWS = 4, 1000
NO_PART = {
    # They decide a verdict by themselves ...
    Code.DIFFERENCE,
    Code.NO_DIFFERENCE,
    Code.BELOW_A_DRAW,
    Code.SPIKE,
    Code.STOPPED_EARLY,
    Code.AT_MAXIMUM,
    Code.SAME_MAXIMUM,
    Code.LOWER_MAXIMUM,
    # ... or come beside a reason that leaves it open.
    Code.OUTSIDE_POSTERIOR,
    Code.PRIOR_MOVES,
    Code.SAME_DRAWS,
}
NUMBERS = {
    "chains": (1,),
    "n_chains": 4,
    "ess": 200.0,
    "needed": 1000,
    "transitions": 20.0,
    "likelier": "em",
    "denser": "mine",
    "status": "stuck",
}


def fit(name: str, kind: str = "draws", origin: str = "built-in", **settings: object):
    """Return what is looked at of a fit."""
    shape = (1, 1) if kind == "point" else (CHAINS, DRAWS)
    return SimpleNamespace(
        engine=name,
        kind=kind,
        origin=origin,
        K=3,
        settings=settings,
        params=SimpleNamespace(w=np.empty((*shape, 3))),
    )


FITS = {
    "em": fit("em", "point"),
    "gibbs": fit("gibbs"),
    "nuts": fit("nuts"),
    "mine": fit("mine", origin="own"),
    "stan": fit("stan", origin="draws"),
    "own_point": fit("own_point", "point", "own"),
}
ESS = {"gibbs": 5000.0, "nuts": 800.0, "mine": 800.0, "stan": 800.0}


def reason(code: Code, engine: str = "", **numbers: object) -> Reason:
    """Return a reason with the numbers that matter here."""
    known = {key: {**NUMBERS, **numbers}.get(key, 0.0) for key in code.numbers}
    extra = {"round": numbers["round"]} if "round" in numbers else {}
    return Reason(code, {**known, **extra}, engine=engine)


def settle(a: str, b: str, *reasons: Reason, fits=FITS, **pair: object) -> tuple[Reason, ...]:
    return remedies([PairVerdict(a, b, "inconclusive", reasons, **pair)], fits, ESS)


def typed(*arguments: object, **pair: object) -> dict[str, object]:
    return settings_of(settle(*arguments, **pair))


def engines_of(code: Code) -> list[str]:
    """Return the engines of `FITS` of which a reason can be."""
    if code == Code.STATUS:
        return ["em", "own_point"]
    return (
        ["nuts", "mine", "stan"] if code == Code.DIVERGENCES else ["gibbs", "nuts", "mine", "stan"]
    )


@pytest.mark.parametrize(
    ("code", "engine"), [(c, e) for c in sorted(set(Code) - NO_PART) for e in engines_of(c)]
)
def test_every_reason_that_leaves_it_open_has_a_remedy(code: Code, engine: str) -> None:
    a, b = ("em", "gibbs") if engine in ("em", "gibbs") else ("gibbs", engine)
    found = settle(a, b, reason(code, engine), ess_needed=9000.0)
    assert found
    assert all(sentence(remedy) for remedy in found)


@pytest.mark.parametrize(
    ("why", "settings"),
    [
        (reason(Code.LOW_ESS, "nuts"), {"engines.nuts.draws": 6300}),  # 1.25 * 1000 / 200
        (reason(Code.LOW_ESS, "mine"), {"engines.custom.draws": 6300}),
        (reason(Code.SLOW_COMBINATION, "nuts", needed=80, ess=40), {"engines.nuts.draws": 2500}),
        (reason(Code.TOO_FEW_CHAINS, "nuts", needed=4), {"engines.nuts.chains": 4}),
        (reason(Code.TOO_SHORT, "gibbs"), {"engines.gibbs.draws": 20_000}),
        (reason(Code.RARE_EMPTY_STATES, "gibbs", needed=100), {"engines.gibbs.draws": 6300}),
        (
            reason(Code.HIGH_RHAT, "nuts"),
            {"engines.nuts.draws": 4000, "engines.nuts.warmup": 4000},
        ),
        (
            reason(Code.TREND, "mine"),
            {"engines.custom.draws": 4000, "engines.custom.warmup": 4000},
        ),
        (reason(Code.DIVERGENCES, "nuts"), {"engines.nuts.target_accept": 0.9}),
        (reason(Code.STATUS, "em"), {"engines.em.max_iterations": 200_000}),
    ],
    ids=lambda value: value.code if isinstance(value, Reason) else None,
)
def test_a_reason_names_the_setting(why: Reason, settings: dict[str, object]) -> None:
    assert typed("gibbs" if why.engine != "gibbs" else "nuts", why.engine, why) == settings


def test_settings_that_were_poor_are_put_right_before_anything_is_made_longer() -> None:
    fits = FITS | {
        "nuts": fit("nuts", identify="ordered", start="default", target_accept=0.95),
        "em": fit("em", "point", start="lecture"),
        "gibbs": fit("gibbs", start="lecture"),
    }
    stuck = typed("gibbs", "nuts", reason(Code.MINOR_MODE, "nuts"), fits=fits)
    assert stuck == {"engines.nuts.identify": "none", "engines.nuts.start": "em"}
    slow = typed("gibbs", "nuts", reason(Code.MINOR_MODE, "gibbs"), fits=fits)
    assert slow == {"engines.gibbs.start": "overdispersed"}
    saddle = typed("em", "gibbs", reason(Code.STATUS, "em"), fits=fits)
    assert saddle == {"engines.em.start": "spread"}
    steep = typed("gibbs", "nuts", reason(Code.DIVERGENCES, "nuts"), fits=fits)
    assert steep == {"engines.nuts.identify": "none", "engines.nuts.target_accept": 0.99}


@pytest.mark.parametrize("engine", ["numpyro", "stan"])
def test_engines_elsewhere_have_settings_too(engine: str) -> None:
    fits = FITS | {engine: fit(engine, start="default", target_accept=0.8)}
    stuck = typed("gibbs", engine, reason(Code.MINOR_MODE, engine), fits=fits)
    assert stuck == {f"engines.{engine}.start": "em"}
    steep = typed("gibbs", engine, reason(Code.DIVERGENCES, engine), fits=fits)
    assert steep == {f"engines.{engine}.target_accept": 0.9}


def test_a_minor_mode_of_well_chosen_starts_asks_for_longer_chains() -> None:
    fits = FITS | {"gibbs": fit("gibbs", warmup=900)}
    asked = typed("gibbs", "nuts", reason(Code.MINOR_MODE, "gibbs"), fits=fits)
    assert asked == {"engines.gibbs.warmup": 3600, "engines.gibbs.draws": 4000}


def test_the_ess_of_stuck_chains_is_not_taken_at_its_word() -> None:
    slow = reason(Code.LOW_ESS, "nuts", ess=1.0)
    assert typed("gibbs", "nuts", slow) == {"engines.nuts.draws": 100_000}  # not 1,250,000
    fits = FITS | {"nuts": fit("nuts", identify="ordered")}
    stuck = reason(Code.MINOR_MODE, "nuts")
    assert typed("gibbs", "nuts", stuck, slow, fits=fits) == {"engines.nuts.identify": "none"}


def test_a_warm_up_that_was_left_out_is_made_as_long_as_by_default() -> None:
    fits = FITS | {"gibbs": fit("gibbs", warmup=0)}
    asked = typed("gibbs", "nuts", reason(Code.TREND, "gibbs"), fits=fits)
    assert asked["engines.gibbs.warmup"] == 2000


def test_each_engine_is_given_what_it_lacks_of_the_ess_needed() -> None:
    why = reason(Code.DIFFERENCE_POSSIBLE)
    assert typed("gibbs", "nuts", why, ess_needed=4000.0) == {"engines.nuts.draws": 6300}
    both = typed("gibbs", "nuts", why, ess_needed=10_000.0)
    assert both == {"engines.gibbs.draws": 2500, "engines.nuts.draws": 16_000}


def test_more_chains_share_the_draws_that_are_needed() -> None:
    fits = FITS | {"nuts": fit("nuts")}
    fits["nuts"].params.w = np.empty((2, DRAWS, 3))
    why = reason(Code.TOO_FEW_CHAINS, "nuts", needed=4), reason(Code.LOW_ESS, "nuts")
    assert typed("gibbs", "nuts", *why, fits=fits) == {
        "engines.nuts.chains": 4,
        "engines.nuts.draws": 3200,
    }


def test_what_was_seen_when_repeated_counts_from_the_longer_run() -> None:
    again = reason(Code.LOW_ESS, "nuts", round=2)
    assert typed("gibbs", "nuts", again) == {"engines.nuts.draws": 25_000}
    doubtful = reason(Code.UNCONFIRMED_DIFFERENCE)
    assert typed("gibbs", "nuts", doubtful, rounds=3) == {
        "engines.gibbs.draws": 64_000,
        "engines.nuts.draws": 64_000,
    }


def test_the_largest_of_several_wishes_counts() -> None:
    pairs = [
        PairVerdict("gibbs", "nuts", "inconclusive", (reason(Code.LOW_ESS, "nuts", ess=500.0),)),
        PairVerdict("nuts", "mine", "inconclusive", (reason(Code.LOW_ESS, "nuts", ess=100.0),)),
        PairVerdict("em", "nuts", "agree", (reason(Code.LOW_ESS, "nuts", ess=1.0),)),
    ]
    assert settings_of(remedies(pairs, FITS, ESS)) == {"engines.nuts.draws": 13_000}


def test_two_samplers_of_ones_own_share_a_section() -> None:
    first, second = (
        Reason(Remedy.RUN_WITH, {"settings": {"engines.custom.draws": n}}, engine=e)
        for n, e in ((9000, "a"), (7000, "b"))
    )
    assert settings_of([first, second]) == {"engines.custom.draws": 9000}


def test_one_engine_alone_wants_another() -> None:
    assert remedies([], {"gibbs": FITS["gibbs"]}, ESS) == (Reason(Remedy.ANOTHER_ENGINE),)


def test_a_point_of_a_mixture_that_is_mostly_empty_is_left_out() -> None:
    fits = {name: FITS[name] for name in ("em", "gibbs")}
    (found,) = settle("em", "gibbs", reason(Code.NO_ELLIPSE, "gibbs"), fits=fits)
    assert found.numbers == {"engines": ("gibbs", "nuts"), "fewer": 2}


def test_settings_named_exist() -> None:
    """A key that no card has would be refused when it is typed."""
    fits = FITS | {"nuts": fit("nuts", identify="ordered", start="default")}
    for code in set(Code) - NO_PART:
        for engine in engines_of(code):
            for key in typed(
                "own_point" if engine == "em" else "em",
                engine,
                reason(code, engine),
                fits=fits,
                ess_needed=9000.0,
            ):
                _, section, name = key.split(".")
                assert hasattr(getattr(EngineSection(), section), name)


@pytest.mark.parametrize(
    ("number", "up"), [(0, 0), (7.2, 8), (99.5, 100), (101, 110), (5873, 5900), (6000, 6000)]
)
def test_numbers_are_rounded_up_to_two_digits(number: float, up: int) -> None:
    assert rounded_up(number) == up


SAID = [
    (
        Reason(
            Remedy.RUN_WITH,
            {"settings": {"engines.nuts.warmup": 4000, "engines.nuts.draws": 6000}},
            engine="nuts",
        ),
        "NUTS: run it with --set engines.nuts.warmup=4000 --set engines.nuts.draws=6000.",
    ),
    (
        Reason(Remedy.FOLLOWED, {"settings": {"engines.nuts.draws": 6000}, "times": 1}),
        "--settle, round 1 of 2: compared again with --set engines.nuts.draws=6000.",
    ),
    (
        Reason(
            Remedy.DRAWS_ELSEWHERE, {"chains": 4, "draws": 5000, "warmup": False}, engine="stan"
        ),
        "Stan: make 4 chains of at least 5,000 draws each, from different starts and seeds, and "
        "give them by --draws NAME=FILE.",
    ),
    (
        Reason(Remedy.DRAWS_ELSEWHERE, {"chains": 4, "draws": 500, "warmup": True}, engine="stan"),
        "Stan: make 4 chains of at least 500 draws each after a longer warm-up, none of which is "
        "kept, from different starts and seeds, and give them by --draws NAME=FILE.",
    ),
    (
        Reason(Remedy.SMALLER_STEPS, engine="stan"),
        "Stan: make the draws again with smaller steps (target_accept or adapt_delta of 0.95 or "
        "0.99) until no transition diverges.",
    ),
    (
        Reason(Remedy.OWN_STREAMS, {"elsewhere": False}, engine="mine"),
        "mine: no number of draws helps: draw everything from the rng that each chain is given, "
        "and seed no other; `gmmcompare validate FILE.py:FUNC` shows whether it does.",
    ),
    (
        Reason(Remedy.OWN_STREAMS, {"elsewhere": True}, engine="stan"),
        "Stan: no number of draws helps: make its chains again, each with a seed of its own.",
    ),
    (
        Reason(Remedy.TOGETHER, {"elsewhere": False}, engine="mine"),
        "mine: no number of draws helps: permute w, mu and sigma together in its code.",
    ),
    (
        Reason(Remedy.STANDS_STILL),
        "No number of draws helps where nothing ever moves: find out why by `gmmcompare validate "
        "FILE.py:FUNC`.",
    ),
    (
        Reason(Remedy.SAME_OBJECTIVE, {"settings": {"engines.em.objective": "map"}}),
        "Let both maximise the same: --set engines.em.objective=map.",
    ),
    (
        Reason(Remedy.SAME_OBJECTIVE, {"settings": {}}),
        "Let both points maximise the same, the likelihood or the posterior density; no setting "
        "does it for points of your own.",
    ),
    (
        Reason(Remedy.CONVERGE, engine="mine"),
        "mine: let it go on until it has converged, then compare again.",
    ),
    (
        Reason(Remedy.LEAVE_OUT, {"engines": ("gibbs", "nuts"), "fewer": 2}, engine="em"),
        "EM: no number of draws helps, as the data do not need all components: compare engines "
        "that draw, without it (--engines gibbs,nuts), or choose fewer components (--set "
        "mixture.components=2).",
    ),
    (
        Reason(Remedy.ANOTHER_ENGINE),
        "Give another engine to compare with, as in --engines em,gibbs,nuts.",
    ),
    (
        Reason(Remedy.SEEDS, {"engines": ("stan",)}),
        "Draws from a file cannot be repeated here: make those of Stan again with other seeds, and "
        "see whether the difference is still there.",
    ),
    (
        Reason(Remedy.COMPARE_AGAIN),
        "This was written by an earlier version: run `gmmcompare compare` again.",
    ),
]


@pytest.mark.parametrize(("remedy", "said"), SAID)
def test_a_remedy_in_words(remedy: Reason, said: str) -> None:
    assert sentence(remedy) == said
    assert Reason.from_dict(json.loads(to_json(remedy.to_dict()))) == remedy


def test_every_remedy_has_words_and_every_word_a_test() -> None:
    assert {remedy.code for remedy, _ in SAID} == set(Remedy) == set(Remedy) & set(SAYS)


def test_the_limit_of_settling_is_said_before_and_after() -> None:
    run, followed = SAID[0][0], SAID[1][0]
    assert words.settling([run], []) == (
        "Or add --settle, which sets this by itself: at most two rounds and 16 times the draws."
    )
    assert words.settling([run], [followed]).startswith(
        "--settle has stopped here: it goes no further than two rounds and 16 times the draws."
    )
    assert words.settling([Reason(Remedy.STANDS_STILL)], []) == ""
    assert phrase(followed).startswith("--settle, round 1 of 2")

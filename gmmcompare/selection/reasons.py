"""What is concluded of numbers of components, as data; `words` makes sentences of it."""

from __future__ import annotations

from gmmcompare.comparison.reasons import ReasonCode


class Code(ReasonCode):
    """Conclusions on the number of components, and what stands against them."""

    # What a criterion selects ...
    SELECTED_BY_MAXIMUM = (
        "selected-by-maximum",
        {
            "criterion": "aic, bic or icl",
            "selected": "number of components with the lowest value",
            "gaps": "(number of components, its value less the lowest) for each other number",
        },
    )
    SELECTED_BY_LOO = (
        "selected-by-loo",
        {
            "draws": "the engine that draws",
            "selected": "number of components with the highest value",
            "alike": "(number of components, gap below the highest, standard error) where they "
            "cannot be told apart",
            "worse": "the same where they can",
        },
    )
    SELECTED_BY_EVIDENCE = (
        "selected-by-evidence",
        {
            "draws": "the engine that draws",
            "selected": "number of components with the highest evidence",
            "probability": "its posterior probability, all numbers tried being equally likely",
            "low": "lower end of the 90 % interval that standard errors of the evidences leave",
            "high": "upper end",
            "gaps": "(number of components, log evidence below the highest, standard error) for "
            "each other number",
        },
    )
    NO_SELECTION = "no-selection", {"criterion": "that has no value for any number"}
    # ... what stands against believing it ...
    NO_VALUE = (
        "no-value",
        {"criterion": "that has none", "run": "whether EM was run"},
    )
    HIGH_PARETO_K = (
        "high-pareto-k",
        {
            "draws": "the engine that draws",
            "count": "of observations whose Pareto k is above the limit and that could not be left "
            "out in earnest",
            "n": "all observations",
            "limit": "of Pareto k",
            "refits": "largest number of distinct values that are left out in turn",
        },
    )
    MODES_POOLED = "modes-pooled", {"draws": "the engine whose chains sit in several modes"}
    SEVERAL_MODES = (
        "several-modes",
        {
            "draws": "the engine whose chains do not move between modes",
            "modes": "(chains, share of the posterior) for each",
        },
    )
    RARE_OCCUPANCY = (
        "rare-occupancy",
        {
            "draws": "the engine that draws",
            "changes": "expected number between states with and without an empty component",
            "needed": "changes for the share of the rarer to be known",
        },
    )
    DOUBTFUL_DRAWS = (
        "doubtful-draws",
        {"draws": "the engine that draws", "at": "numbers of components where its draws are"},
    )
    NO_FIT = "no-fit", {"error": "the message of the engine"}
    # ... and where criteria or engines differ.
    ALL_SELECT = "all-select", {"selected": "number of components"}
    CRITERIA_DIFFER = (
        "criteria-differ",
        {"choices": "(number of components, (criterion, engine that draws or empty) for each)"},
    )
    PRICE_OF_COMPONENTS = (
        "price-of-components",
        {
            "draws": "the engine that draws",
            "selected": "number of components with the highest evidence",
            "more": "the next larger",
            "gain": "in maximum log-likelihood",
            "loss": "in log evidence",
        },
    )
    ENGINES_APART = (
        "engines-apart",
        {
            "criterion": "loo or evidence",
            "engines": "the two",
            "at": "(number of components, difference, Monte Carlo error of it) where they differ",
        },
    )
    ENGINES_ALIKE = (
        "engines-alike",
        {
            "criterion": "loo or evidence",
            "engines": "the two",
            "largest": "difference at any number of components, in Monte Carlo errors",
        },
    )
    LARGEST_SELECTED = (
        "largest-selected",
        {"largest": "number of components tried", "criteria": "that select it"},
    )

"""What a validation found, as data; `words` alone makes sentences of it."""

from __future__ import annotations

from gmmcompare.comparison.reasons import Reason, ReasonCode, from_codes, to_codes

__all__ = ["Code", "Reason", "Remedy", "from_codes", "to_codes"]


_OF_CHAINS = {
    "met": "data sets on which chains met",
    "data_sets": "how many",
    "chains": "from different places, on each",
    "sweeps": "of each chain",
    "quantity": "the worst",
    "rhat": "potential scale reduction of that",
    "limit": "below which chains count as met",
}


class Code(ReasonCode):
    """What a check found, what the diagnosis is, what is odd, what was not tested.

    Names of scenes and quantities count as numbers. ``log10_wealth`` is that of a bet against the
    sampler (see `betting`).
    """

    # Of any check.
    BROKEN_CALL = (
        "broken-call",
        {"what": "a short word, see `BrokenError`", "message": "of the exception"},
    )
    OUT_OF_TIME = (
        "out-of-time",
        {"done": "replicates made", "wanted": "replicates for a verdict; 0 if that is not known"},
    )

    # Of the contract.
    CONTRACT_KEPT = (
        "contract-kept",
        {
            "kind": "kernel or sampler",
            "reproducible": "whether the same rng gives the same result",
            "vectors": "whether it takes priors that differ between components",
            "stream": "whether it draws from rng: only, not only or never",
        },
    )

    # Of the full conditionals.
    CONDITIONALS_CORRECT = (
        "conditionals-correct",
        {
            "ratios": "conditionals whose density ratios were compared",
            "draws": "conditionals whose draws were tested",
            "tolerance": "of a log density ratio",
        },
    )
    WRONG_RATIO = (
        "wrong-ratio",
        {"conditional": "its name", "error": "largest of a log density ratio"},
    )
    WRONG_DRAWS = "wrong-draws", {"conditional": "its name"}

    # Of invariance.
    INVARIANT = (
        "invariant",
        {
            "replicates": "in all",
            "priors": "how many",
            "effect": "what any quantity must be off by, in standard deviations of one replicate, "
            "to be found in half of all runs under the main priors",
        },
    )
    THIN_EVIDENCE = (
        "thin-evidence",
        {"priors": "main priors under which it could be tested", "K": "number of components"},
    )
    NOT_INVARIANT = (
        "not-invariant",
        {"log10_wealth": "", "replicates": "until then", "alpha": "false-positive rate"},
    )
    SUSPICIOUS = "suspicious", {"log10_wealth": "the highest", "replicates": "in all"}

    # Of simulation-based calibration.
    CALIBRATED = (
        "calibrated",
        {"quantities": "how many", "replicates": "in all", "thin": "every so many draws are used"},
    )
    RANKS_NOT_UNIFORM = (
        "ranks-not-uniform",
        {
            "quantity": "the worst",
            "p": "corrected for all quantities",
            "quantities": "how many",
            "replicates": "in all",
        },
    )
    NOT_CALIBRATED = "not-calibrated", {"log10_wealth": "", "replicates": "in all"}

    # Of the exact posterior.
    EXACT = "exact", {"chains": "how many", "observations": "how many"}
    NOT_EXACT = (
        "not-exact",
        {
            "quantity": "the worst",
            "off": "mean of the quantity, 0 for a correct sampler",
            "se": "standard error of that",
            "chains": "how many",
            "observations": "how many",
        },
    )
    NOT_SO_FEW = "not-so-few", {"observations": "the most that were tried"}
    CHAINS_STAND_STILL = (
        "chains-stand-still",
        {
            "still": "chains that never moved",
            "chains": "how many",
            "draws": "kept of each",
            "warmup": "sweeps before",
        },
    )

    # Of the joint distribution.
    JOINT_KEPT = "joint-kept", {"quantities": "how many", "sweeps": "how many"}
    JOINT_DRIFTS = "joint-drifts", {"quantity": "the worst", "t": "its t value"}

    # Of whole chains of a kernel.
    CHAINS_MEET = "chains-meet", _OF_CHAINS
    CHAINS_APART = "chains-apart", _OF_CHAINS

    # Of mutants of a kernel's source.
    MUTANTS = (
        "mutants",
        {
            "caught": "mutants that failed",
            "counted": "all but those that draw what the original draws",
            "equivalent": "those",
            "missed": "file, line, change, before and after of each that did not fail",
        },
    )

    # Of NUTS on the user's data.
    ON_DATA = (
        "on-data",
        {
            "observations": "how many",
            "verdict": "of the pair",
            "reason": "its first, with its code",
        },
    )

    # Of the diagnosis.
    LABELS_SORTED = "labels-sorted", {"together": "whether w, mu and sigma move together"}
    PARAMETER_OFF = (
        "parameter-off",
        {
            "parameter": "mu or sigma",
            "shape": "location or spread",
            "changes": "by kind of component (empty, few or several observations), where clear: "
            "of log sigma, or of mu in prior sds",
            "hint": "where to look, see `words`",
            "scene": "in which it shows best",
        },
    )
    WEIGHTS_OFF = "weights-off", {"change": "mean change of the largest weight", "scene": ""}
    MOST_MOVED = (
        "most-moved",
        {
            "quantity": "on which the best bet won",
            "marginal": "whether it is a parameter by itself",
            "larger": "than it should be, or smaller",
            "scene": "",
        },
    )
    ONLY_ELSEWHERE = (
        "only-elsewhere",
        {
            "scenes": "names of those in which it is wrong",
            "sizes": "K, N and unit of each",
            "crowded": "whether most components hold one observation or none in all of them",
        },
    )
    KEPT_TOO_LONG = "kept-too-long"
    UNLIKE_ANY_FAULT = "unlike-any-fault"
    OTHER_MODEL = (
        "other-model",
        {
            "model": "that the sampler may be correct for: one-sigma, known, conjugate, hyperprior "
            "or prior",
            "parameter": "w, mu or sigma, in which it shows",
            "certain": "whether it shows in every sweep, or is suggested by how draws depend",
        },
    )
    RANKS_OFF = (
        "ranks-off",
        {"quantity": "", "way": "small, large or spread", "mean_rank": "of the truth, in 0 to 1"},
    )

    SCALAR_MOVES = (
        "scalar-moves",
        {
            "parameter": "in the names of the model",
            "shape": "location or spread",
            "larger": "than it should be, or smaller",
            "before": "median, or half the range of the middle two thirds, before the sweeps",
            "after": "the same after them",
            "at_once": "whether one sweep shows it",
            "sweeps": "how many were made",
        },
    )
    DEPENDS_WRONGLY = (
        "depends-wrongly",
        {
            "parameter": "in the names of the model",
            "kind": "data (regression on the data) or score (derivative of the log density)",
            "shape": "location or spread",
            "larger": "than it should be, or smaller",
        },
    )

    # Of what is odd but no reason to fail.
    NOT_REPRODUCIBLE = "not-reproducible"
    RNG_UNUSED = "rng-unused"
    RNG_NOT_ALONE = "rng-not-alone"
    PERMUTES_LABELS = (
        "permutes-labels",
        {"differing": "whether priors that differ by component were tried, and found it wrong"},
    )
    REMEMBERS = "remembers"
    PRINTED = "printed", {"lines": "how many", "log": "the file; empty where it was not kept"}
    WARNED = "warned", {"message": "of the warning, with file and line"}

    # Of what was tested, for the first lines.
    SCOPE = (
        "scope",
        {
            "kind": "kernel or sampler",
            "sizes": "pairs of K and N that were tested",
            "taken": "numbers of components that it takes, of those tried",
            "refused": "numbers of components that it does not take",
            "unequal": "fields of the prior that differed between components",
            "equal": "fields that it takes only equal, as plain numbers",
        },
    )

    MODEL_SCOPE = (
        "model-scope",
        {
            "kind": "kernel or sampler",
            "model": "its name",
            "parameters": "names and shapes",
            "quantities": "how many functions were looked at",
            "kinds": "of them",
        },
    )

    # Of what was not tested.
    NO_DENSITIES = "no-densities", {"missing": "names of what the model does not have"}
    OTHER_DATA = "other-data"
    NOT_MOVED = "not-moved", {"parameters": "that no sweep moved"}
    SMALL_ERRORS_OF_MODEL = (
        "small-errors-of-model",
        {"quick": "whether more replicates can be had", "effect": "see INVARIANT"},
    )
    SIZES_REFUSED = (
        "sizes-refused",
        {
            "sizes": "numbers of components",
            "what": "see `BrokenError`",
            "message": "of the first exception",
        },
    )
    REFUSED = (
        "refused",
        {
            "scene": "name of the prior",
            "vector": "whether that prior differs between components",
            "what": "see `BrokenError`",
            "message": "of the exception",
        },
    )
    OTHER_SIZES = "other-sizes", {"sizes": "pairs of K and N that were tested"}
    SMALL_ERRORS = (
        "small-errors",
        {
            "quick": "whether more replicates can be had",
            "effect": "see INVARIANT",
            "percent": "about how far the conditional variance of mu must be off for that",
        },
    )
    REAL_DATA = (
        "real-data",
        {
            "most": "observations of the largest data set",
            "tied": "whether some data were tied and rounded, under a nearly improper prior",
        },
    )
    ONE_PRIOR = "one-prior"
    SINGLE_SWEEPS = "single-sweeps"
    NO_CONDITIONALS = "no-conditionals"
    EXACT_SKIPPED = "exact-skipped"


class Remedy(ReasonCode):
    """What would settle an inconclusive validation."""

    MORE_TIME = "more-time", {"seconds": "to allow for everything"}
    OTHER_SEED = "other-seed", {"seed": "to use", "quick": "whether it was validated in haste"}
    TAKE_MORE = "take-more", {"K": "components that were tried"}
    TAKE_FEWER = "take-fewer", {"observations": "that it has to take"}
    MOVE = "move"

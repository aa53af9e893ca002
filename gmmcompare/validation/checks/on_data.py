"""Does a sampler agree with NUTS on the user's own data? The comparison that `compare` makes.

The sampler's chains run in the child process like everything else; NUTS has run before, in the
parent, and is handed in as a fit.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from gmmcompare.comparison.agreement import PairVerdict
from gmmcompare.comparison.comparison import compare_fits
from gmmcompare.comparison.thresholds import CONFIRM_ALPHA
from gmmcompare.comparison.words import clause
from gmmcompare.engines.base import Draws, Problem
from gmmcompare.engines.own import OwnEngine
from gmmcompare.fitting.fit import Fit, build_fit
from gmmcompare.model.card import SamplerSettings
from gmmcompare.validation.reasons import Code, Reason, to_codes
from gmmcompare.validation.sandbox.child import Task
from gmmcompare.validation.sandbox.sandbox import TaskRunner
from gmmcompare.validation.sandbox.streams import seed_global_streams, streams
from gmmcompare.validation.sandbox.subject import BrokenError, Subject
from gmmcompare.validation.verdict import Check, Verdict

_NAME = "yours"
_VERDICTS: dict[str, Verdict] = {
    "agree": "passed",
    "disagree": "failed",
    "inconclusive": "inconclusive",
}


@dataclass(frozen=True)
class OnData:
    """The user's data, K and priors, and NUTS' fit of them.

    Attributes
    ----------
    problem : Problem
    nuts : Fit
    lengths : SamplerSettings
        Chains, warmup and draws of the sampler under test.
    posterior_sbc : bool
        Calibrate around these data as well; see `posterior_sbc`.
    """

    problem: Problem
    nuts: Fit
    lengths: SamplerSettings
    posterior_sbc: bool = False


def fit_on_data(subject: Subject, problem: Problem, lengths: SamplerSettings, seed: int) -> Fit:
    """Run a kernel's chains or a whole sampler on the user's data; in the child.

    Parameters
    ----------
    subject : Subject
    problem : Problem
        The user's data, K and priors.
    lengths : SamplerSettings
        Chains, warmup and draws.
    seed : int

    Raises
    ------
    BrokenError
        If it returns a point and no draws.
    EngineError
        If it raises or returns nonsense.
    """
    ours, _ = streams(seed, 0xDA7A)
    seed_global_streams(ours)
    engine = OwnEngine(_NAME, subject.function, lengths, None)
    result = engine.run(problem, seed, lambda fraction: subject.beat())
    if not isinstance(result, Draws):
        raise BrokenError(f"{subject.name}: returned one point, as an optimiser does")
    return build_fit(engine, problem, seed, result)


def check_on_data(sandbox: TaskRunner, on: OnData, seed: int) -> Check:
    """Compare the sampler with NUTS on the user's data.

    A correct one fails with probability at most `CONFIRM_ALPHA`.

    Parameters
    ----------
    sandbox : TaskRunner
        Where the sampler under test is called.
    on : OnData
    seed : int

    Raises
    ------
    BrokenError or EngineError
        If the sampler fails.
    """
    started = time.perf_counter()
    arguments = {"problem": on.problem, "lengths": on.lengths, "seed": seed}
    own: Fit = next(sandbox.run([Task(fit_on_data, arguments)]))
    comparison = compare_fits([on.nuts, own])
    return check_of_pair(
        comparison.pairs[0],
        on.problem.sample.origin.name,
        on.problem.sample.n,
        replicates=on.lengths.chains * on.lengths.draws,
        seconds=time.perf_counter() - started,
        remedies=comparison.remedies,
    )


def check_of_pair(
    pair: PairVerdict,
    data: str,
    observations: int,
    *,
    replicates: int,
    seconds: float,
    remedies: Sequence[Reason] = (),
) -> Check:
    """Return the check that a comparison with NUTS on the user's data amounts to.

    Parameters
    ----------
    pair : PairVerdict
        On NUTS and the sampler.
    data : str
        What the data are called.
    observations : int
    replicates : int
        Number of the sampler's draws.
    seconds : float
    remedies : sequence of Reason, optional
        What would settle it where it is inconclusive.
    """
    numbers = {
        "observations": observations,
        "verdict": pair.verdict,
        "reason": pair.reasons[0].to_dict() if pair.reasons else {},
    }
    details = {
        "data": data,
        "n": observations,
        "reasons": [clause(reason) for reason in pair.reasons],
        "codes": to_codes(pair.reasons),
        "suspect": pair.suspect or "",
        "functionals": {
            "name": [f.name for f in pair.functionals],
            "diff": [f.diff for f in pair.functionals],
            "se": [f.se for f in pair.functionals],
            "p": [f.p for f in pair.functionals],
        },
        "remedies": to_codes(remedies),
    }
    reasons = (Reason(Code.ON_DATA, numbers),)
    verdict = _VERDICTS[pair.verdict]
    return Check("nuts", verdict, reasons, replicates, seconds, CONFIRM_ALPHA, details)

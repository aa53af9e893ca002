"""Do built-in engines agree with the exact posterior? Verdicts on small samples, by seed.

``python -m tests.benchmarks.exact_verdicts [--engines NAME ...] [--seeds N] [--fresh]`` compares
each engine's draws with independent exact ones, as `compare` would, and prints how many of the
seeds came out as agree, inconclusive and disagree. Outcomes are kept as they come in
``reports/exact-verdicts/``, so that an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from itertools import product
from pathlib import Path

from gmmcompare._version import __version__
from gmmcompare.comparison.comparison import compare_fits
from gmmcompare.engines.base import Problem, built_in_engine, install_command, no_progress
from gmmcompare.fitting.fit import Fit, build_fit
from gmmcompare.fitting.requests import engine_seed
from gmmcompare.model.card import EngineSection
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import EngineError
from gmmcompare.runtime.store import Store

OUTCOMES = Path("reports/exact-verdicts/outcomes.jsonl")
GROUPS = Sample.of([-2.1, -1.9, -2.0, -1.9, -2.2, 1.0, 0.8, 1.1, 1.0, 3.0])
TIED = Sample.of([0.4, -1.1, 0.4, 2.0, 0.4])
PROBLEMS = {
    "two groups": Problem(GROUPS, 2, Priors(5.0, 0.0, 2.0, 3.0, 2.0)),
    "ties": Problem(TIED, 2, Priors(2.0, 0.5, 1.5, 3.0, 1.0)),
    "unequal priors": Problem(
        TIED, 2, Priors([0.7, 2.0], [-1.0, 0.5], [1.0, 3.0], [3.0, 2.0], [1.0, 0.3])
    ),
}
DRAWS = {"gibbs": 40_000, "jags": 20_000}
"""Of a chain; of engines that draw allocations and parameters in turn more, as they move slowly."""
OTHERWISE = 5000


def fitted(name: str, problem: Problem, seed: int, this_round: int = 1) -> Fit:
    """Return an engine's fit; in later rounds of four times the draws, and with another seed."""
    draws = DRAWS.get(name, OTHERWISE) * 4 ** (this_round - 1)
    settings = getattr(EngineSection(), name).model_copy(update={"draws": draws})
    engine, own = built_in_engine(name, settings), engine_seed(seed, name, this_round)
    return build_fit(engine, problem, own, engine.run(problem, own, no_progress))


def verdict(name: str, problem: Problem, seed: int) -> str:
    """Return the verdict on an engine and the exact posterior; ``failed: ...`` if there is none."""
    try:
        fits = [fitted("exact", problem, seed), fitted(name, problem, seed)]
    except EngineError as error:
        return f"failed: {error}"
    found = compare_fits(
        fits, refit=lambda engine, this_round: fitted(engine, problem, seed, this_round)
    )
    return found.verdict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = [n for n in ("gibbs", "nuts", "jags", "numpyro", "stan") if not install_command(n)]
    parser.add_argument("--engines", nargs="+", default=default)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--fresh", action="store_true")
    given = parser.parse_args()
    if given.fresh:
        OUTCOMES.unlink(missing_ok=True)
    identity = {"benchmark": "exact verdicts", "version": __version__}
    store = Store(OUTCOMES, identity, ("engine", "problem", "seed")).begin()
    for key in product(given.engines, PROBLEMS, range(1, given.seeds + 1)):
        if key not in store.rows:
            name, problem, seed = key
            began = time.perf_counter()
            said = verdict(name, PROBLEMS[problem], seed)
            store.append(key, {"verdict": said, "seconds": time.perf_counter() - began})
            print(*key, said, flush=True)
    print("| engine | problem | seeds | verdicts |\n|---|---|---:|---|")
    for name, problem in product(given.engines, PROBLEMS):
        said = Counter(r["verdict"] for k, r in store.rows.items() if k[:2] == (name, problem))
        found = ", ".join(f"{n} {verdict}" for verdict, n in said.items())
        print(f"| {name} | {problem} | {said.total()} | {found} |")


if __name__ == "__main__":
    main()

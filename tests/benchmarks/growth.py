"""How time and memory grow with N, K and the number of chains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gmmcompare.engines.base import Problem, no_progress
from gmmcompare.engines.gibbs.engine import GibbsEngine
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.mixture import simulate
from gmmcompare.model.params import Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from tests.benchmarks.timing import peak_memory_mb

TRUTH = Params(
    np.array([0.67, 0.19, 0.14]), np.array([-0.73, 0.07, 0.03]), np.array([0.21, 0.03, 0.14])
)
SIZES = (10**3, 10**4, 10**5, 10**6, 10**7)
COMPONENTS = (1, 2, 3, 5, 10, 20)


def seconds_per_sweep(sample: Sample, K: int, chains: int = 1) -> float:
    """Return the best of three runs, seconds of wall time per sweep of one chain."""
    sweeps = max(20, min(5000, 30_000_000 // sample.n))
    engine = GibbsEngine(GibbsSettings(chains=chains, warmup=0, draws=sweeps))
    runs = [engine.run(Problem(sample, K, Priors()), 4, no_progress) for _ in range(3)]
    return min(run.seconds.sample for run in runs) / sweeps


def by_size() -> Iterator[tuple[int, float]]:
    """Seconds per sweep at K = 3, all values distinct."""
    rng = np.random.default_rng(4)
    for n in SIZES:
        yield n, seconds_per_sweep(Sample.of(simulate(TRUTH, n, rng)[0]), 3)


def by_components(n: int = 10_000) -> Iterator[tuple[int, float]]:
    """Seconds per sweep at N = 10,000."""
    sample = Sample.of(simulate(TRUTH, n, np.random.default_rng(4))[0])
    for K in COMPONENTS:
        yield K, seconds_per_sweep(sample, K)


def by_chains(n: int = 10_000) -> Iterator[tuple[int, float]]:
    """Seconds per sweep of each chain when one and when two run at a time."""
    sample = Sample.of(simulate(TRUTH, n, np.random.default_rng(4))[0])
    for chains in (1, 2):
        yield chains, seconds_per_sweep(sample, 3, chains)


def memory_of_large_run(n: int = 10**7) -> float:
    """Peak memory of 100 sweeps beyond imports and data, as a multiple of the data's 8 N bytes."""
    setup = (
        "import numpy as np\nfrom gmmcompare.engines.gibbs.engine import GibbsEngine\n"
        "from gmmcompare.engines.base import Problem, no_progress\n"
        "from gmmcompare.model.card import GibbsSettings\n"
        "from gmmcompare.model.priors import Priors\n"
        "from gmmcompare.model.sample import Sample\n"
        "from tests.benchmarks.growth import TRUTH\nfrom gmmcompare.model.mixture import simulate\n"
        "def run(y, draws):\n"
        "    engine = GibbsEngine(GibbsSettings(chains=1, warmup=0, draws=draws))\n"
        "    return engine.run(Problem(Sample.of(y), 3, Priors()), 4, no_progress)\n"
        "run(np.arange(50.0), 5)\n"
        f"y = np.concatenate([simulate(TRUTH, {n // 10}, np.random.default_rng(i))[0]"
        " for i in range(10)])\n"
    )
    return peak_memory_mb(setup, "run(y, 100)") * 2**20 / (8.0 * n)


def plot(sizes: list[tuple[int, float]], components: list[tuple[int, float]], path: Path) -> None:
    """Draw time per sweep against N and against K."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for axis, points, label in zip(
        axes, (sizes, components), ("N (distinct values), K = 3", "K, N = 10,000"), strict=True
    ):
        x, seconds = np.array(points).T
        axis.loglog(x, 1e3 * seconds, "o-", color="#0072B2", label="measured")
        proportional = 1e3 * seconds[-1] * x / x[-1]
        axis.loglog(x, proportional, ":", color="0.4", label="proportional")
        axis.set_xlabel(label)
        axis.set_ylabel("milliseconds per sweep")
        axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)

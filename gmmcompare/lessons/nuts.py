"""Data of the lesson on NUTS: two routes over one posterior, and a race of the real engines."""

from __future__ import annotations

from typing import Any, cast

import contourpy
import numpy as np

from gmmcompare.comparison.diagnostics import convergence
from gmmcompare.comparison.summary import EngineSummary
from gmmcompare.fitting.fit import Fit
from gmmcompare.lessons.two_means import TwoMeans, chain, gibbs_draw, nuts_draw
from gmmcompare.model import mixture
from gmmcompare.model.card import load_card
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.runtime.progress import Step
from gmmcompare.workflows.compare import compare_card
from gmmcompare.workflows.load import load

SEED = 4
N = 30
TRUE = Params(np.array([0.35, 0.65]), np.array([-1.0, 1.0]), np.array([1.0, 1.0]))
PRIORS = Priors(mean_loc=0.0, mean_sd=3.0)
STEP = 0.08
TRAJECTORIES, SWEEPS, DRAWS = 10, 60, 4000
GRID = np.linspace(-2.0, 2.8, 121)
LEVELS = (0.01, 0.05, 0.15, 0.35, 0.6, 0.85)
START = np.array([-1.2, 1.6])
RACES = (
    ("galaxies", "galaxies-k4", ()),
    ("simulated exoplanets", "exoplanets-k3", ("data.dataset=exoplanets-simulated",)),
)
COMMANDS = tuple(
    f"gmmcompare compare {card} --engines em,gibbs,nuts"
    + "".join(f" --set {change}" for change in changes)
    for _, card, changes in RACES
)
FACTS = (
    f"The picture: {N} values simulated with seed {SEED} from two groups with known weights "
    f"({TRUE.w[0]:g} and {TRUE.w[1]:g}) and known sd {TRUE.sigma[0]:g}; only the two means are "
    f"unknown, with a Normal({PRIORS.mean_loc:g}, {PRIORS.mean_sd:g}) prior.",
    f"NUTS is drawn with a fixed step of {STEP:g} and no mass matrix, so that its path can be "
    "seen; Gibbs by the steps of gibbs_plain.",
    "The race is what the commands above do, with the cards’ own seeds and settings: effective "
    "draws are of the quantity that has fewest, bulk or tail, and seconds are of sampling, warmup "
    "included and compiling not, as in the reports. They are of the machine that made this page, "
    "and of what else it had to do; they are the only numbers here that change from run to run.",
)


def model() -> TwoMeans:
    """Return the lesson's posterior of two means."""
    y, _ = mixture.simulate(TRUE, N, np.random.default_rng(SEED))
    return TwoMeans(np.sort(y), TRUE.w, TRUE.sigma, PRIORS)


def compute(progress: Step) -> dict[str, Any]:
    """Return contours, both routes, marginals against the exact one, and the race."""
    posterior = model()
    density = grid_density(posterior)
    data = {
        "y": posterior.y,
        "w": TRUE.w,
        "sigma": TRUE.sigma,
        "grid": GRID,
        "contours": contours(density),
        "levels": LEVELS,
        "nuts": nuts_route(posterior),
        "gibbs": gibbs_route(posterior),
        "step": STEP,
    }
    progress(0.1)
    data["marginal"] = marginals(posterior, density)
    progress(0.3)
    data["race"] = [_race(*race) for race in RACES]
    return data


def grid_density(posterior: TwoMeans) -> Array:
    """Return the density over `GRID` x `GRID`, first axis mu_1, largest value 1."""
    first, second = np.meshgrid(GRID, GRID, indexing="ij")
    height = posterior.log_density(np.stack([first, second], axis=-1))
    return np.asarray(np.exp(height - height.max()))


def contours(density: Array) -> list[list[list[list[float]]]]:
    """Return for each level its lines, each a list of (mu_1, mu_2)."""
    generator = contourpy.contour_generator(GRID, GRID, density.T)
    lines = [cast(list[Array], generator.lines(level)) for level in LEVELS]
    return [[line.round(3).tolist() for line in at_level] for at_level in lines]


def nuts_route(posterior: TwoMeans) -> list[dict[str, Any]]:
    """Return the first trajectories, point by point."""
    rng, here, route = np.random.default_rng(SEED), START, []
    for _ in range(TRAJECTORIES):
        seen = nuts_draw(posterior, here, STEP, rng)
        here = seen.points[seen.chosen]
        route.append(
            {
                "points": np.array(seen.points),
                "forward": seen.forward,
                "error": np.array(seen.energies) - seen.energies[0],
                "chosen": seen.chosen,
                "kept": seen.kept,
            }
        )
    return route


def gibbs_route(posterior: TwoMeans) -> list[dict[str, Array]]:
    """Return the first sweeps: the point, and centre and sds of what it was drawn from."""
    rng, here, route = np.random.default_rng(SEED), START, []
    for _ in range(SWEEPS):
        here, centre, sd = gibbs_draw(posterior, here, rng)
        route.append({"point": here, "centre": centre, "sd": sd})
    return route


def marginals(posterior: TwoMeans, density: Array) -> dict[str, Any]:
    """Return the density of mu_1: exact by summing the grid, and histograms of both samplers."""
    rng = np.random.default_rng(SEED)

    def by_nuts(mu: Array) -> Array:
        seen = nuts_draw(posterior, mu, STEP, rng)
        return seen.points[seen.chosen]

    draws = {
        "nuts": chain(by_nuts, START, DRAWS),
        "gibbs": chain(lambda mu: gibbs_draw(posterior, mu, rng)[0], START, DRAWS),
    }
    width = GRID[1] - GRID[0]
    exact = density.sum(axis=1) / (density.sum() * width)
    edges = GRID[::4]
    first, second = np.meshgrid(GRID, GRID, indexing="ij")
    swapped = float(density[first > second].sum() / density.sum())
    ess = {name: convergence({"mu": d[None, :, 0]}).ess_bulk["mu"] for name, d in draws.items()}
    histograms = {
        name: np.histogram(d[:, 0], bins=edges, density=True)[0] for name, d in draws.items()
    }
    return {
        "exact": exact,
        "mean": {"exact": float(exact @ GRID * width)}
        | {name: float(d[:, 0].mean()) for name, d in draws.items()},
        "sd": float(np.sqrt((exact * width) @ (GRID - exact @ GRID * width) ** 2)),
        "edges": edges,
        "ess": ess,
        "swapped": {"exact": swapped}
        | {name: float((d[:, 0] > d[:, 1]).mean()) for name, d in draws.items()},
        "crossing": {name: float(np.diff(d[:, 0] > d[:, 1]).mean()) for name, d in draws.items()},
        "draws": DRAWS,
        **histograms,
    }


def _race(name: str, card_name: str, changes: tuple[str, ...]) -> dict[str, Any]:
    """Return what `compare` with the card says: the same seeds, draws and definitions."""
    card = load_card(card_name, changes)
    comparison = compare_card(card, load(card)).comparison
    rows = {
        engine: _worth(comparison.fits[engine], comparison.summaries[engine])
        for engine in ("gibbs", "nuts")
    }
    return {"name": name, "n": comparison.fits["gibbs"].sample.n, "K": card.K, **rows}


def _worth(fit: Fit, summary: EngineSummary) -> dict[str, float | str]:
    assert summary.diagnostics is not None  # both engines draw
    found = summary.diagnostics.parameters
    worst, ess = found.worst_ess
    n = fit.stat("log_lik").size
    return {
        "draws": n,
        "ess": ess,
        "worst": worst,
        "log_lik": summary.log_lik,
        "rhat": found.worst_rhat[1],
        "prepare": fit.seconds.prepare,
        "seconds": fit.seconds.sample,
        "per_draw": ess / n,
        "per_second": ess / fit.seconds.sample,
    }

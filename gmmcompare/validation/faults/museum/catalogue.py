"""The table of the museum: one row a bug, with the public report that it was rebuilt from.

``museum:NAME`` is the sampler as it shipped and ``museum:NAME/repaired`` the same with the one line
mended. The facts are the reports'; the code and the small models are ours. Step sizes are fixed and
memory is gone, where that is not itself the bug, so that one sweep is a function of its arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from gmmcompare.runtime.errors import InputError, did_you_mean
from gmmcompare.validation.faults.museum import (
    blocks,
    ensembles,
    hamiltonian,
    models,
    nuts,
    proposals,
    slices,
)

PREFIX = "museum:"
REPAIRED = "/repaired"


@dataclass(frozen=True)
class Piece:
    """A bug that shipped.

    Attributes
    ----------
    name : str
        How the command line calls it, after ``museum:``.
    title : str
        What it was, where and when.
    mistake : str
        What was wrong, and what is right.
    effect : str
        What it does to draws.
    report : str
        Address of the public report.
    model : class
        Of the model on which it is shown.
    sampler : callable
        A kernel ``(theta, y, rng, repaired)``, or a whole sampler ``(y, draws, warmup, chains, rng,
        repaired)``.
    """

    name: str
    title: str
    mistake: str
    effect: str
    report: str
    model: Callable[[], Any]
    sampler: Callable[..., Any]

    @property
    def whole(self) -> bool:
        """Whether it is a whole sampler, which runs chains, and not a kernel."""
        return self.sampler.__module__ == ensembles.__name__

    def build(self, repaired: bool = False) -> Callable[..., Any]:
        """Return the sampler as it shipped, or repaired."""
        return partial(self.sampler, repaired=repaired)


# fmt: off
_ROWS = (
    Piece("nuts-borrowed-boundaries",
        "The No-U-Turn sampler of Stan 2.10 to 2.13 (2016)",
        "the criterion that ends a subtree took the state before its first one for its first, and "
        "the sum of momenta of its neighbour along with its own; each needs its own",
        "the posterior sd is 4 % too small; means are right",
        "https://github.com/stan-dev/stan/issues/2178", models.Space, nuts.borrowed_boundaries),
    Piece("nuts-always-updated",
        "Moving to a new subtree in a No-U-Turn sampler, WALNUTS prototype (2025)",
        "log_weight(new) - log_weight(new) is the log probability of moving to the new half; "
        "log_weight(new) - log_weight(old) is right",
        "the end of a trajectory is taken whatever its density: the posterior sd is too large",
        "https://github.com/bob-carpenter/walnuts/issues/27", models.Space, nuts.always_updated),
    Piece("hmc-energy-of-position",
        "Kinetic energy in HMC, BlackJAX (2021)",
        "kinetic_energy(position) in the acceptance ratio instead of kinetic_energy(momentum)",
        "the target is the posterior times a second normal density: a variance of 1 becomes 1/2",
        "https://github.com/blackjax-devs/blackjax/issues/46",
        models.Plane, hamiltonian.energy_of_position),
    Piece("hmc-stale-energy",
        "Hamiltonian of an earlier momentum in HMC, flowMC (2023)",
        "the energy at the start is that from before the momentum was drawn anew; it has to be "
        "computed after",
        "moves are accepted by an energy that the chain does not have",
        "https://github.com/kazewong/flowMC/issues/78", models.Plane, hamiltonian.stale_energy),
    Piece("hmc-rejections-dropped",
        "Rejected transitions in HMC, hamiltorch (2020)",
        "a state is stored after an acceptance alone; after a rejection it has to be stored again",
        "states that are hard to leave are counted once: the posterior sd is wrong",
        "https://github.com/AdamCobb/hamiltorch/issues/5",
        models.Plane, hamiltonian.rejections_dropped),
    Piece("mixed-hmc-correction",
        "Labels in mixed HMC (2020, found while it was written for NumPyro in 2021)",
        "paid += delta_e, the change of potential corrected for the proposal, instead of "
        "paid += delta_u, the change of potential",
        "labels have wrong probabilities where there are three or more; with two all is right",
        "https://github.com/pyro-ppl/numpyro/pull/826",
        models.Cells, hamiltonian.mixed_correction),
    Piece("langevin-correction",
        "Acceptance in the Metropolis-adjusted Langevin algorithm, BAT.jl (2026)",
        "the correction is that of drift tau and variance 2 tau; the step has tau / 2 and tau",
        "the posterior sd is wrong, most of all with long steps",
        "https://github.com/bat/BAT.jl/issues/532",
        models.Plane, hamiltonian.langevin_correction),
    Piece("slice-lopsided-interval",
        "First interval of the slice sampler, PyMC (until 2022)",
        "right = x + w instead of right = x + (1 - u) w, where left = x - u w",
        "modes have wrong probabilities; where there is one mode nothing is wrong",
        "https://github.com/pymc-devs/pymc/pull/5816", models.Square, slices.lopsided_interval),
    Piece("slice-accepted-again",
        "Slice sampling in Venture (2016)",
        "a point of the slice is put to a Metropolis test; it is a draw already",
        "draws lie too near the mode",
        "https://github.com/probcomp/Venturecxx/issues/448",
        models.Location, slices.accepted_again),
    Piece("elliptical-joint",
        "Elliptical slice sampling, GaussianProcesses.jl (2021) and, in a draft, Turing (2019)",
        "the slice is one of the joint density; it has to be one of the likelihood",
        "the prior counts twice: draws are shrunk towards its mean, and their spread is too narrow",
        "https://github.com/STOR-i/GaussianProcesses.jl/pull/180",
        models.Curve, slices.elliptical_joint),
    Piece("walk-in-logs",
        "Proposal of the MCMC-Laplace program, deal.II code gallery (2020)",
        "a lognormal step is treated as symmetric; the ratio needs the factor new / old",
        "draws are too small, as if the prior had the factor 1 / rate",
        "https://github.com/dealii/code-gallery/pull/64", models.Rate, proposals.walk_in_logs),
    Piece("prior-as-proposal",
        "IndependentMH of JuliaBUGS (2026)",
        "the density of the proposal, here the prior, is left out of the ratio",
        "the prior counts twice",
        "https://github.com/TuringLang/JuliaBUGS.jl/issues/531",
        models.Coin, proposals.prior_as_proposal),
    Piece("redrawn-at-walls",
        "Adaptive MCMC of PyBNF (2026)",
        "a step that leaves the box is drawn anew; it has to be rejected",
        "draws are too rare along every wall",
        "https://github.com/lanl/PyBNF/pull/766", models.Box, proposals.redrawn_at_walls),
    Piece("log-scale-without-jacobian",
        "First example of BlackJAX's guide (2024)",
        "log_density(loc, exp(log_scale)) without + log_scale, the log Jacobian",
        "the scale is too small, as if the prior had the factor 1 / scale",
        "https://github.com/blackjax-devs/blackjax/issues/750",
        models.Spread, proposals.log_scale_without_jacobian),
    Piece("student-t-signs",
        "Degrees of freedom of Student t shocks, bsvars (2026)",
        "nu + 2 and nu - 2 are swapped in the density of the variances given nu",
        "degrees of freedom go to their lower end",
        "https://github.com/bsvars/bsvars/issues/139", models.HeavyTails, blocks.signs_swapped),
    Piece("indicators-too-early",
        "Order of steps in Primiceri's VAR with stochastic volatility (2005, corrected in 2015)",
        "indicators, coefficients (indicators summed out), volatility given indicators; the "
        "indicators have to be drawn last before the volatility",
        "the volatility follows indicators of coefficients that are gone; every step is correct",
        "https://fdocuments.us/document/time-varying-structural-vector-autoregressions-and-distribution-of-the-model.html",
        models.Volatility, blocks.indicators_too_early),
    Piece("stretch-by-walkers",
        "Acceptance of stretch moves in an ensemble, PINTS (2021)",
        "z ** (walkers - 1) instead of z ** (dimension - 1)",
        "walkers are driven apart: the posterior sd is too large",
        "https://github.com/pints-team/pints/issues/1325",
        models.Plane, ensembles.stretch_by_walkers),
)
# fmt: on
PIECES: Mapping[str, Piece] = {row.name: row for row in _ROWS}


def is_piece(sampler: object) -> bool:
    """Whether a sampler is named as one of the museum, which has a model of its own."""
    return isinstance(sampler, str) and sampler.startswith(PREFIX)


def piece(name: str) -> tuple[Piece, bool]:
    """Return a piece and whether its repaired twin is meant.

    Parameters
    ----------
    name : str
        ``museum:NAME`` or ``museum:NAME/repaired``, with or without ``museum:``.

    Raises
    ------
    InputError
        If the museum has none of that name.
    """
    short, slash, twin = name.removeprefix(PREFIX).partition("/")
    if short not in PIECES:
        raise InputError(
            f"{name}: the museum has no such piece{did_you_mean(short, PIECES)}; "
            f"it has: {', '.join(PIECES)}"
        )
    if slash and twin != REPAIRED[1:]:
        raise InputError(f"{name}: a piece is {PREFIX}{short} or {PREFIX}{short}{REPAIRED}")
    return PIECES[short], bool(slash)


def sampler(name: str) -> Callable[..., Any]:
    """Return the sampler of a name; see `piece`."""
    found, repaired = piece(name)
    return found.build(repaired)

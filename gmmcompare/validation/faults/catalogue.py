"""The table of classic faults of a Gibbs sampler for mixtures: one row a fault.

They serve three ends: tests (`validate` must flag every one and pass the correct sweep), teaching
(`gmmcompare validate fault:NAME` shows what a mistake does), and diagnosis (a user's sampler that
moves the same quantities the same way probably has the same mistake).

Where a mistake would end in a division by zero for an empty component, the empty component is drawn
from its prior, as a student would patch it: otherwise it would show at once and teach nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from gmmcompare.runtime.errors import InputError, did_you_mean
from gmmcompare.validation.faults import allocations, conditionals, labels, order, other_models
from gmmcompare.validation.faults.measured import MEASURED_FAULTS
from gmmcompare.validation.faults.narrow import FAMILIES, Narrow
from gmmcompare.validation.faults.sweep import GibbsSampler, GibbsSweep

PREFIX = "fault:"


@dataclass(frozen=True)
class Variant:
    """The correct sampler with one step replaced.

    Attributes
    ----------
    name : str
        How the command line calls it, after ``fault:``.
    step : str
        The method of `GibbsSweep`, or of `GibbsSampler`, that is replaced; "" for none.
    replacement : callable or class, optional
        A function of the correct sampler and the step's own arguments. A class makes one for each
        kernel: it remembers something from sweep to sweep.
    mistake : str
        The code as written and as it should be.
    effect : str
        What it does to draws.
    model : str
        The model that the sampler is correct for, if it is for any; see `Code.OTHER_MODEL`.
    """

    name: str
    step: str
    replacement: Callable[..., Any] | None
    mistake: str
    effect: str
    model: str = ""

    @property
    def remembers(self) -> bool:
        """Whether a sweep depends on earlier ones by more than (w, mu, sigma)."""
        return isinstance(self.replacement, type)

    @property
    def whole(self) -> bool:
        """Whether it is a whole sampler, which runs chains, and not a kernel."""
        return hasattr(GibbsSampler, self.step)

    def build(self) -> Any:
        """Return a fresh kernel or sampler."""
        kind = GibbsSampler if self.whole else GibbsSweep
        built: Any = kind()
        built.name = self.name
        if self.replacement is not None:
            replacement = self.replacement() if self.remembers else self.replacement
            setattr(built, self.step, partial(replacement, kind()))
        return built


def _by_name(*rows: Variant) -> Mapping[str, Variant]:
    return {row.name: row for row in rows}


# fmt: off
KERNEL_FAULTS = _by_name(
    # sigma | mu, z
    Variant("rate-for-scale", "draw_sigmas", conditionals.rate_for_scale,
        "sigma2 = 1 / rng.gamma(shape, scale) instead of 1 / rng.gamma(shape, 1 / scale)",
        "sigma is off by a factor that does not shrink with n: NumPy's gamma takes a scale, and "
        "a rate was passed"),
    Variant("shape-plus-n", "variances_conditional", conditionals.shape_plus_n,
        "shape = var_shape + n_k instead of var_shape + n_k / 2",
        "sigma is too small and its spread too narrow in components that hold observations"),
    Variant("shape-half-too-much", "variances_conditional", conditionals.shape_half_too_much,
        "shape = var_shape + (n_k + 1) / 2 instead of var_shape + n_k / 2",
        "sigma is slightly too small, in empty components as well"),
    Variant("shape-half-too-little", "variances_conditional", conditionals.shape_half_too_little,
        "shape = var_shape + (n_k - 1) / 2 instead of var_shape + n_k / 2",
        "sigma is slightly too large, in empty components as well"),
    Variant("shape-n-minus-one", "variances_conditional", conditionals.shape_n_minus_one,
        "shape = var_shape + max(n_k - 1, 0) / 2 instead of var_shape + n_k / 2",
        "sigma is slightly too large in components that hold observations; empty components are "
        "correct"),
    Variant("squares-about-ybar", "draw_parameters", conditionals.squares_about_ybar,
        "sum_sq = ((y - y.mean())**2).sum() instead of ((y - mu[k])**2).sum()",
        "sigma is too small, most of all in components of one or two observations"),
    Variant("squares-not-halved", "variances_conditional", conditionals.squares_not_halved,
        "scale = var_scale + sum_sq instead of var_scale + sum_sq / 2",
        "sigma is too large in components that hold observations; empty components are correct"),
    Variant("var-scale-dropped", "variances_conditional", conditionals.var_scale_dropped,
        "scale = sum_sq / 2 instead of var_scale + sum_sq / 2",
        "sigma is too small, most of all in components of few observations"),
    Variant("var-shape-dropped", "variances_conditional", conditionals.var_shape_dropped,
        "shape = n_k / 2 instead of var_shape + n_k / 2",
        "sigma is too large and its spread too wide, most of all in components of few "
        "observations"),
    Variant("var-shape-and-scale-swapped",
        "variances_conditional", conditionals.shape_and_scale_swapped,
        "shape = var_scale + n_k / 2, scale = var_shape + sum_sq / 2: the two are swapped",
        "sigma is wrong in all components, empty ones included, unless shape and scale are equal"),
    Variant("gamma-for-inverse-gamma", "draw_sigmas", conditionals.gamma_for_inverse_gamma,
        "sigma2 = rng.gamma(shape, 1 / scale) instead of 1 / rng.gamma(shape, 1 / scale)",
        "sigma is the inverse of what it should be: too large where it should be small"),
    Variant("floor-under-sigma", "draw_parameters", conditionals.floor_under_sigma,
        "sigma = np.maximum(sigma, 0.2 * y.std()) after the draw",
        "sigma is never small, and too large on average; most of all where its prior is small"),
    Variant("one-sigma-for-all", "draw_sigmas", other_models.one_sigma_for_all,
        "one sigma for all components, drawn given all N squares, instead of one for each",
        "sigma is the same in all components, its spread too narrow", "one-sigma"),
    Variant("variance-returned-as-sigma", "draw_sigmas", conditionals.variance_returned,
        "sigma = scale / rng.gamma(shape) instead of the square root of it",
        "the variance is returned as sigma: too small below 1, too large above"),
    # mu | sigma, z
    Variant("mean-prior-dropped", "means_conditional", conditionals.mean_prior_dropped,
        "mu = rng.normal(ybar, sigma / sqrt(n_k)): the prior precision 1 / mean_sd**2 is left out",
        "mu is not shrunk towards its prior mean, and its spread is too wide in components of "
        "few observations"),
    Variant("mean-loc-ignored", "means_conditional", conditionals.mean_loc_ignored,
        "loc = v * sum_y / sigma**2 instead of v * (sum_y / sigma**2 + mean_loc / mean_sd**2)",
        "mu is shrunk towards 0 instead of mean_loc, most of all in empty components"),
    Variant("prior-sd-as-variance", "means_conditional", conditionals.prior_sd_as_variance,
        "precision = n_k / sigma**2 + 1 / mean_sd instead of n_k / sigma**2 + 1 / mean_sd**2",
        "mu is shrunk towards its prior mean as if mean_sd were a variance, most of all in "
        "empty components"),
    Variant("likelihood-without-sigma", "means_conditional", conditionals.likelihood_without_sigma,
        "precision = n_k + 1 / mean_sd**2 instead of n_k / sigma**2 + 1 / mean_sd**2",
        "mu follows its observations as if every sigma were 1; empty components are correct"),
    Variant("mean-variance-as-sd", "means_conditional", conditionals.mean_variance_as_sd,
        "mu = rng.normal(loc, v) with v a variance, instead of rng.normal(loc, sqrt(v))",
        "the spread of mu is too narrow in components of many observations, too wide in empty "
        "ones"),
    Variant("mean-sd-as-variance", "means_conditional", conditionals.mean_sd_as_variance,
        "mu = rng.normal(loc, sqrt(s)) with s a standard deviation, instead of rng.normal(loc, s)",
        "the spread of mu is too wide in components of many observations; its location is correct"),
    Variant("mean-sd-times-sigma", "means_conditional", conditionals.mean_sd_times_sigma,
        "precision = (n_k + 1 / mean_sd**2) / sigma**2 instead of n_k / sigma**2 + 1 / mean_sd**2",
        "the spread of mu follows sigma, most of all in empty components"),
    Variant("conjugate-prior", "draw_parameters", other_models.conjugate_prior,
        "mu's prior sd is mean_sd * sigma, in the conditionals of both mu and sigma, instead of "
        "mean_sd",
        "the spread of mu follows sigma; correct for the conjugate prior", "conjugate"),
    # w | z
    Variant("dirichlet-without-prior", "weights_conditional", conditionals.dirichlet_without_prior,
        "w = rng.dirichlet(n_k) instead of rng.dirichlet(weight_concentration + n_k)",
        "weights are too unequal, and a component that is empty once stays empty"),
    Variant("concentration-ignored", "weights_conditional", conditionals.concentration_ignored,
        "w = rng.dirichlet(1 + n_k) instead of rng.dirichlet(weight_concentration + n_k)",
        "weights are too equal if the concentration is below 1, too unequal if it is above"),
    Variant("dirichlet-prior-twice", "weights_conditional", conditionals.dirichlet_prior_twice,
        "w = rng.dirichlet(2 * weight_concentration + n_k): the prior is counted twice",
        "weights are too equal"),
    # the order of steps
    Variant("z-from-stale-weights", "sweep", order.StaleWeights,
        "z is drawn with the weights of the previous sweep (w_old), not with the current w",
        "components grow and shrink too slowly or too fast; every conditional by itself is "
        "correct"),
    Variant("mu-and-sigma-from-old-values", "draw_parameters", order.both_from_old_values,
        "mu is drawn given the old sigma and sigma given the old mu: one must use the new value",
        "the dependence between a component's mu and sigma is wrong"),
    Variant("mu-from-previous-counts", "draw_parameters", order.PreviousCounts,
        "mu is drawn with n_k of the previous sweep: n_k is recomputed after mu, not before",
        "mu is shrunk too much or too little in components that have just gained or lost "
        "observations"),
    Variant("sigma-from-previous-counts", "draw_parameters", order.PreviousCountsOfSigma,
        "sigma's shape has n_k of the previous sweep: n_k is recomputed after sigma, not before",
        "sigma is too large or too small in components that have just gained or lost "
        "observations"),
    Variant("stochastic-em", "draw_parameters", other_models.stochastic_em,
        "w, mu and sigma are set to where they are on average, or most likely, given z, instead of "
        "drawn",
        "w, mu and sigma vary too little: they only follow the allocations"),
    # z | w, mu, sigma
    Variant("cumulative-not-normalised", "draw_allocations", allocations.cumulative_not_normalised,
        "z = (u > np.cumsum(w * pdf)).sum(), without division by the total",
        "observations are allocated to the last component (or the first) far too often"),
    Variant("one-uniform-for-all", "draw_uniforms", allocations.one_uniform_for_all,
        "u = rng.random(), one number for all observations, instead of rng.random(N)",
        "observations are allocated together: counts jump, and weights are too unequal"),
    Variant("variance-as-sd-in-z", "draw_allocations", allocations.variance_as_sd,
        "w * norm.pdf(y, mu, sigma**2) instead of w * norm.pdf(y, mu, sigma)",
        "narrow components receive too few observations, wide ones too many"),
    Variant("no-log-sigma-in-z", "draw_allocations", allocations.no_log_sigma,
        "log r = log w - (y - mu)**2 / (2 * sigma**2), without - log sigma",
        "wide components take observations from narrow ones"),
    # labels
    Variant("mu-sorted-alone", "draw_means", labels.mu_sorted_alone,
        "mu = np.sort(mu) in mid-sweep, which gives components one another's means",
        "means are in ascending order but no longer belong to their weights and observations"),
    Variant("weights-left-unsorted", "relabel", labels.weights_left_unsorted,
        "order = np.argsort(mu); mu, sigma = mu[order], sigma[order], and w is left as it was",
        "means are in ascending order; weights belong to other components"),
    Variant("labels-sorted-each-sweep", "relabel", labels.sorted_each_sweep,
        "order = np.argsort(mu) is applied to w, mu and sigma at the end of every sweep instead "
        "of after sampling",
        "means are in ascending order; nothing else is wrong unless priors differ by component"),
)
SAMPLER_FAULTS = _by_name(
    Variant("one-seed-for-all-chains", "chain_streams", order.one_seed_for_all_chains,
        "rng = np.random.default_rng(42) inside the loop over chains",
        "chains are copies of one another, so R-hat is 1.00 and says nothing"),
)
NOT_FAULTS = _by_name(
    Variant("correct", "", None,
        "none",
        "none"),
    Variant("sigma-before-mu", "draw_parameters", order.sigma_before_mu,
        "none: sigma is drawn given the old mu, then mu given the new sigma",
        "none: any order of the conditionals is correct as long as each uses the newest values"),
    Variant("empty-left-as-it-was", "draw_parameters", order.empty_left_as_it_was,
        "none: an empty component keeps its mu and sigma until it receives an observation",
        "none, except slower mixing"),
    Variant("labels-permuted-at-random", "relabel", labels.permuted_at_random,
        "none where all components have the same prior; elsewhere permutations have to be accepted "
        "or rejected",
        "none where all components have the same prior; elsewhere they take one another's"),
)
# fmt: on
FAULTS: Mapping[str, Variant] = {**KERNEL_FAULTS, **SAMPLER_FAULTS}


def fault(name: str) -> Any:
    """Return a fresh kernel or sampler of the gallery, by its name with or without ``fault:``.

    ``NAME@two`` is the kernel for two components alone; see `narrow` for other families.

    Raises
    ------
    InputError
        If the gallery has none of that name.
    """
    if (measured := name.removeprefix(PREFIX)) in MEASURED_FAULTS:
        return MEASURED_FAULTS[measured]()
    gallery = {**FAULTS, **NOT_FAULTS}
    short, _, family = name.removeprefix(PREFIX).partition("@")
    if short not in gallery:
        known = [*gallery, *MEASURED_FAULTS]
        raise InputError(
            f"{name}: the gallery has no such fault{did_you_mean(short, known)}; "
            f"it has: {', '.join(known)}"
        )
    if family and (family not in FAMILIES or gallery[short].whole):
        raise InputError(f"{name}: kernels come in these families: {', '.join(FAMILIES)}")
    built = gallery[short].build()
    return Narrow(built, family) if family else built

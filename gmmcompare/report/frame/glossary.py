"""The terms of art a page uses, each explained once, for a student who meets it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gmmcompare.comparison.thresholds import MARGIN, MAX_RHAT


@dataclass(frozen=True)
class Entry:
    """A term and what it means."""

    term: str
    meaning: str


GLOSSARY: Mapping[str, Entry] = {
    "alignment": Entry(
        "Alignment",
        "Giving every draw the numbering of components that is nearest to one fixed reference, so "
        "that component 1 means the same thing in every draw of every engine (Stephens 2000).",
    ),
    "autocorrelation": Entry(
        "Autocorrelation",
        "How strongly a draw resembles one made so many steps before. The slower it falls to zero, "
        "the fewer effective draws a chain of given length is worth.",
    ),
    "band": Entry(
        "90 % band",
        "At each point of the axis, 90 % of the posterior's densities lie within it. It shows the "
        "uncertainty that the data leave, not an error of the engine.",
    ),
    "chain": Entry(
        "Chain",
        "One run of a sampler. Several chains from different starts show whether all of them find "
        "the same posterior.",
    ),
    "coclustering": Entry(
        "Co-clustering probability",
        "The probability that two observations come from the same component, whatever it is "
        "called: averaged over the posterior, it needs no numbering of components.",
    ),
    "component": Entry(
        "Component",
        "One of the K normal distributions of the mixture, with a weight, a mean and a standard "
        "deviation.",
    ),
    "divergence": Entry(
        "Divergence",
        "A NUTS trajectory whose energy error blew up: a sign that the sampler cannot enter some "
        "part of the posterior. Only samplers that follow trajectories can have them.",
    ),
    "ebfmi": Entry(
        "E-BFMI",
        "Energy Bayesian fraction of missing information: how well NUTS moves between energy "
        "levels. Below 0.3 it explores the tails poorly.",
    ),
    "em": Entry(
        "EM",
        "Expectation maximisation (Dempster, Laird and Rubin 1977): climbs to a maximum of the "
        "likelihood, or of the posterior. Its result is one point, not a distribution.",
    ),
    "empty": Entry(
        "Empty component",
        "A component that no observation belongs to. Its mean and standard deviation are then "
        "drawn from the prior, however wide that is.",
    ),
    "entropy": Entry(
        "Entropy",
        "How open it is to which component an observation belongs, in nats: 0 where it is certain, "
        "0.69 between two equally probable components, log K between all K.",
    ),
    "ess": Entry(
        "Effective sample size (ESS)",
        "How many independent draws would tell as much as these correlated ones. Bulk ESS is for "
        "the middle of the posterior, tail ESS for its 5 % and 95 % quantiles (Vehtari et al. "
        "2021).",
    ),
    "false-alarm": Entry(
        "False-positive rate",
        "The probability that two engines that sample exactly the same posterior are said to "
        "disagree.",
    ),
    "gibbs": Entry(
        "Gibbs sampling",
        "Draws the allocations given the parameters, then the parameters given the allocations, "
        "in turn. After many rounds the draws are draws of the posterior.",
    ),
    "information": Entry(
        "AIC, BIC, ICL",
        "Log-likelihood with a penalty for the number of parameters (ICL also for components that "
        "overlap). Smaller is better; only differences between models of the same data count.",
    ),
    "kl": Entry(
        "Kullback-Leibler divergence",
        "How many nats per observation are lost by describing data of one density with the other. "
        "Zero means identical.",
    ),
    "label-switching": Entry(
        "Label switching",
        "The likelihood does not change when components swap numbers, so a sampler may swap them "
        "in mid-run, and two engines may number them differently.",
    ),
    "log-likelihood": Entry(
        "Log-likelihood",
        "Logarithm of the density of all data given the parameters. A chain whose values are much "
        "lower than another's sits in a worse mode.",
    ),
    "mahalanobis": Entry(
        "Mahalanobis distance",
        "Distance from the centre of the posterior in units of its own spread in every direction.",
    ),
    "map": Entry(
        "Maximum likelihood, MAP",
        "The point where the likelihood, or the posterior density, is highest. It is not the "
        "posterior mean: the two differ where the posterior is skewed.",
    ),
    "margin": Entry(
        "Equivalence margin",
        f"Differences smaller than this are of no consequence: {MARGIN:g} posterior standard "
        "deviations change no conclusion one would draw from the posterior.",
    ),
    "mcse": Entry(
        "Monte Carlo standard error (MCSE)",
        "The standard error of an engine's posterior mean, from finitely many draws. It shrinks "
        "with more draws; the posterior standard deviation does not.",
    ),
    "mdd": Entry(
        "Minimum detectable difference",
        "A true difference of this size is detected with 80 % power. A smaller one may go "
        "undetected.",
    ),
    "modal": Entry(
        "Modal allocation",
        "The component to which an observation most probably belongs, averaged over the posterior.",
    ),
    "nuts": Entry(
        "NUTS",
        "The No-U-Turn Sampler (Hoffman and Gelman 2014), here run by PyMC: follows the gradient "
        "of the posterior with the allocations summed out.",
    ),
    "plug-in": Entry(
        "Plug-in density",
        "The mixture density at the posterior mean of the parameters, as lectures draw it.",
    ),
    "posterior": Entry(
        "Posterior",
        "The distribution of the parameters given the data: prior and likelihood combined.",
    ),
    "posterior-sd": Entry(
        "Posterior standard deviation",
        "The uncertainty that the data leave about a quantity: the natural unit for differences "
        "between engines.",
    ),
    "prior": Entry(
        "Prior",
        "The distribution assumed for the parameters before the data; the same for every engine "
        "here, and printed with the card.",
    ),
    "quantity": Entry(
        "Quantities and statistics",
        "Functions of a draw on which engines are compared: the log-likelihood, the density at "
        "several places, the parameters. Of each, eleven bounded statistics: location, "
        "spread, and the shares below nine quantiles; and of parameters, two by two, "
        "their dependence.",
    ),
    "rand": Entry(
        "Adjusted Rand index",
        "Of all pairs of observations, how many two clusterings treat alike, together or apart, "
        "beyond what chance would give: 1 for equal clusterings, 0 for unrelated ones (Hubert and "
        "Arabie 1985). The numbering of components does not matter to it.",
    ),
    "rank-plot": Entry(
        "Rank plot",
        "All draws are ranked together, then each chain's ranks are counted. Chains that explore "
        "the same posterior have level histograms.",
    ),
    "responsibility": Entry(
        "Responsibility",
        "Probability that an observation came from a component, given the parameters.",
    ),
    "rhat": Entry(
        "R-hat",
        "Compares the spread between chains with that within them, on ranks. From "
        f"{MAX_RHAT:g} upwards the chains have not yet found the same distribution (Vehtari et al. "
        "2021).",
    ),
    "se": Entry(
        "Standard error",
        "Of a maximum: its spread over repeated data, from the curvature of the log-likelihood "
        "(Louis 1982). Near the posterior standard deviation when data are many.",
    ),
    "seed": Entry(
        "Seed",
        "The number all randomness is derived from: the same seed gives the same draws again.",
    ),
    "tv": Entry(
        "Total variation distance",
        "The largest difference in probability that two densities give to any event; here half the "
        "area between the two curves.",
    ),
    "warmup": Entry(
        "Warmup",
        "The first draws of a chain, made before it has forgotten its start, and thrown away. Also "
        "called burn-in.",
    ),
}

VALIDATION_GLOSSARY: Mapping[str, Entry] = {
    "bet": Entry(
        "Betting",
        "A stake of 1 is bet against the sampler, replicate after replicate, at odds that are fair "
        "if it is correct. Then the probability that the wealth ever reaches 100,000 is at most "
        "1 in 100,000, however often one looks and however many quantities are bet on (Ville "
        "1939).",
    ),
    "conditional": Entry(
        "Full conditional",
        "The distribution of one parameter given everything else, data included: what a step of a "
        "Gibbs sampler has to draw from.",
    ),
    "ecdf": Entry(
        "ECDF minus uniform",
        "The share of positions below each value minus the share expected: a level line within the "
        "grey band if positions are uniform. A bump means that values are too small, a dip that "
        "they are too large, an S that their spread is too wide or too narrow.",
    ),
    "effect": Entry(
        "Effect",
        "The mean change of a quantity in standard deviations of one replicate: 0 if the sampler "
        "is correct.",
    ),
    "error-rate": Entry(
        "False-positive rate",
        "An upper bound on the probability that a correct sampler fails. It holds for any seed and "
        "any number of replicates.",
    ),
    "exact": Entry(
        "Exact posterior",
        "With few observations the posterior can be computed by summing over all allocations, to "
        "eight digits. Chains that start elsewhere must reach it.",
    ),
    "given": Entry(
        "Given all else",
        "The position of a parameter in its full conditional, with responsibilities in place of "
        "allocations. If this is off and the parameter's own distribution is not, its dependence "
        "on the data is wrong.",
    ),
    "invariance": Entry(
        "Invariance",
        "Draw parameters from the prior and data given the parameters, then make some sweeps: the "
        "joint distribution of parameters and data is unchanged if and only if the kernel leaves "
        "the posterior invariant (Gandy and Scott 2020).",
    ),
    "kernel": Entry(
        "Kernel",
        "One sweep of a sampler as a function: from (w, mu, sigma) to the next (w, mu, sigma).",
    ),
    "position": Entry(
        "Position",
        "The probability integral transform of a draw: the probability, from 0 to 1, of a smaller "
        "value under the distribution that the draw should have. Uniform if it has it.",
    ),
    "prior": GLOSSARY["prior"],
    "replicate": Entry(
        "Replicate",
        "One independent repetition: new parameters, new data, new random numbers.",
    ),
    "sbc": Entry(
        "Simulation-based calibration",
        "Draw parameters from the prior, data given them, and posterior draws given the data: the "
        "rank of the true value among the draws is uniform if the sampler is correct (Talts et "
        "al. 2018).",
    ),
    "score": Entry(
        "Score",
        "The derivative of the log-likelihood with respect to a parameter, which has expectation "
        "zero. It shows a parameter that follows the data too closely or too little.",
    ),
    "signature": Entry(
        "Signature",
        "Which quantities move, how far and which way. Every fault of the gallery has its own, and "
        "the most similar are named.",
    ),
    "z": Entry(
        "z",
        "A mean difference in standard errors. Of so many quantities the largest z is well above 2 "
        "even for a correct sampler.",
    ),
}
"""Terms of a validation's page."""

_ALSO_OF_PRIORS = (
    *("chain", "component", "empty", "ess", "gibbs", "margin", "mcse"),
    *("posterior", "posterior-sd", "prior", "rhat", "seed"),
)

SENSITIVITY_GLOSSARY: Mapping[str, Entry] = {
    **{key: GLOSSARY[key] for key in _ALSO_OF_PRIORS},
    "odds": Entry(
        "Odds of a further component",
        "How probable it is that m components have observations, divided by how probable it is "
        "that m - 1 have. A sampler seldom moves between the two, so the odds themselves are hard "
        "to know; but what a change of prior multiplies them by takes draws from either only.",
    ),
    "power-scaling": Entry(
        "Power-scaling",
        "Raises a prior, or the likelihood, to a power near one and asks how fast the posterior "
        "moves (Kallioinen et al. 2024). Powers are taken in unconstrained coordinates, in which "
        "they scale the hyperparameters; draws enter by their ranks.",
    ),
    "shift": Entry(
        "Shift",
        "The difference of mean normal scores of the pooled ranks. For a small shift of a normal "
        "posterior that is the shift in posterior standard deviations; it cannot exceed 1.6, which "
        "means entirely apart. Ranks need no moment to exist.",
    ),
}
"""Terms of a page on the sensitivity to priors."""

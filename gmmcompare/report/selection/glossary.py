"""The terms of art on a selection's page."""

from __future__ import annotations

from collections.abc import Mapping

from gmmcompare.report.frame.glossary import GLOSSARY, Entry
from gmmcompare.selection.loo import MAX_K

_SHARED = ("band", "chain", "component", "ess", "log-likelihood", "mcse", "posterior", "prior",
           "rhat", "se", "seed")  # fmt: skip

SELECTION_GLOSSARY: Mapping[str, Entry] = {
    **{key: GLOSSARY[key] for key in _SHARED},
    "aic": Entry(
        "AIC",
        "Minus twice the largest log-likelihood, plus two for each free parameter (Akaike 1974). "
        "Estimates how well the fit predicts new data; with much data it tends to take too many "
        "components rather than too few.",
    ),
    "bic": Entry(
        "BIC",
        "As AIC, but log N for each parameter instead of two (Schwarz 1978). A rough stand-in for "
        "minus twice the log evidence under priors worth one observation.",
    ),
    "icl": Entry(
        "ICL",
        "BIC plus twice the entropy of the allocations (Biernacki, Celeux and Govaert 2000). It "
        "counts clusters that are apart, not components that a density needs: overlap costs.",
    ),
    "loo": Entry(
        "LOO",
        "Expected log predictive density: each observation's log density under the posterior of "
        "all the others, summed. Worked out from one set of draws by Pareto-smoothed importance "
        "sampling (Vehtari, Gelman and Gabry 2017).",
    ),
    "pareto-k": Entry(
        "Pareto k",
        "How heavy the tail of an observation's importance weights is. Above "
        f"{MAX_K:g}, leaving it out changes the posterior too much for the estimate to hold.",
    ),
    "evidence": Entry(
        "Evidence",
        "The probability density of the data with all parameters averaged over their priors, also "
        "called marginal likelihood. Its logarithm differs between models by the log Bayes factor.",
    ),
    "bridge": Entry(
        "Bridge sampling",
        "An estimate of the evidence from draws of the posterior and of a proposal whose density "
        "is known; here sweeps of a Gibbs sampler from posterior draws, averaged over all "
        "permutations of the components (Fruehwirth-Schnatter 2004).",
    ),
    "overlap": Entry(
        "Overlap",
        "Probability that posterior and proposal share. The nearer to 1, the smaller the bridge's "
        "error; what is left out of the proposal the bridge sees through posterior draws only.",
    ),
    "probability": Entry(
        "Probability of K",
        "Posterior probability of a number of components if all those tried were equally likely "
        "before the data. It depends on the priors of the parameters, the more the vaguer.",
    ),
    "pit": Entry(
        "LOO-PIT",
        "Where an observation falls in its own leave-one-out predictive distribution, between 0 "
        "and 1. Uniform if the model predicts well. For rounded data the value reported is taken "
        "as the middle of what it may have been (mid-PIT).",
    ),
    "predictive-p": Entry(
        "Predictive p value",
        "Share of data sets made by the fitted model whose histogram is farther from what the "
        "model expects than that of the data (Gelman, Meng and Stern 1996). Near 0: the model "
        "does not make data like these.",
    ),
    "mode": Entry(
        "Mode",
        "A part of the posterior, up to the numbering of components, that a chain does not leave "
        "in the time it has. Its weight cannot be read off the number of chains in it, but off "
        "its share of the evidence.",
    ),
}

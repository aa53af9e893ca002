"""The exact posterior of a mixture for few observations, by a sum over all allocations."""

from gmmcompare.model.exact.components import exact_components, exact_dirichlet_process
from gmmcompare.model.exact.posterior import ExactPosterior, exact_posterior

__all__ = [
    "ExactPosterior",
    "exact_components",
    "exact_dirichlet_process",
    "exact_posterior",
]

"""The exact posterior of a mixture for few observations, by a sum over all allocations."""

from gmmcompare.model.exact.posterior import ExactPosterior, exact_posterior

__all__ = ["ExactPosterior", "exact_posterior"]

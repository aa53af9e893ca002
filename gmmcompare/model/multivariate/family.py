"""The multivariate normal as a family of components."""

from __future__ import annotations

from gmmcompare.model.family import Family

MULTIVARIATE = Family(
    name="multivariate",
    params="gmmcompare.model.multivariate.params:MultivariateParams",
    priors="gmmcompare.model.multivariate.priors:MultivariatePriors",
    sample="gmmcompare.model.multivariate.sample:VectorSample",
    axes={"w": (), "mu": ("dimension",), "cov": ("dimension", "dimension_2")},
    log_joint="gmmcompare.model.multivariate.density:log_joint",
    log_likelihood="gmmcompare.model.multivariate.density:log_likelihood",
    score="gmmcompare.model.multivariate.compiled:score",
    exact="gmmcompare.model.exact.multivariate:multivariate_posterior",
    statistics="gmmcompare.model.exact.multivariate:all_subsets",
    component="gmmcompare.model.exact.multivariate:MultivariateComponent.of",
)

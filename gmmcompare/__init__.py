"""Gibbs, EM and NUTS for Gaussian mixtures side by side, and a verdict on whether they agree.

The public names below are imported when first used, so that importing the package is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gmmcompare._version import __version__
from gmmcompare.runtime.lazy import on_first_use

_PUBLIC = {
    "Comparison": "gmmcompare.comparison.comparison",
    "ConjugatePriors": "gmmcompare.model.conjugate",
    "Fit": "gmmcompare.fitting.fit",
    "MixtureModel": "gmmcompare.model.mixture_model",
    "Model": "gmmcompare.model.protocol",
    "MultivariateParams": "gmmcompare.model.multivariate.params",
    "MultivariatePriors": "gmmcompare.model.multivariate.priors",
    "Params": "gmmcompare.model.params",
    "Priors": "gmmcompare.model.priors",
    "RestrictedPriors": "gmmcompare.model.restricted",
    "Sample": "gmmcompare.model.sample",
    "Agreement": "gmmcompare.comparison.agreed",
    "agree": "gmmcompare.api",
    "align": "gmmcompare.comparison.labels",
    "check_engine": "gmmcompare.engines.check",
    "compare": "gmmcompare.api",
    "components": "gmmcompare.api",
    "exact_components": "gmmcompare.model.exact",
    "exact_dirichlet_process": "gmmcompare.model.exact",
    "exact_posterior": "gmmcompare.model.exact",
    "fit": "gmmcompare.api",
    "load_card": "gmmcompare.model.card",
    "load_fit": "gmmcompare.fitting.fit",
    "load_sample": "gmmcompare.data",
    "plot": "gmmcompare.report.plot",
    "select": "gmmcompare.api",
    "sensitivity": "gmmcompare.api",
    "validate": "gmmcompare.api",
    "write_report": "gmmcompare.api",
}

__all__ = [
    "Agreement",
    "Comparison",
    "ConjugatePriors",
    "Fit",
    "MixtureModel",
    "Model",
    "MultivariateParams",
    "MultivariatePriors",
    "Params",
    "Priors",
    "RestrictedPriors",
    "Sample",
    "__version__",
    "agree",
    "align",
    "check_engine",
    "compare",
    "components",
    "exact_components",
    "exact_dirichlet_process",
    "exact_posterior",
    "fit",
    "load_card",
    "load_fit",
    "load_sample",
    "plot",
    "select",
    "sensitivity",
    "validate",
    "write_report",
]

if TYPE_CHECKING:
    from gmmcompare.api import (
        agree,
        compare,
        components,
        fit,
        select,
        sensitivity,
        validate,
        write_report,
    )
    from gmmcompare.comparison.agreed import Agreement
    from gmmcompare.comparison.comparison import Comparison
    from gmmcompare.comparison.labels import align
    from gmmcompare.data import load_sample
    from gmmcompare.engines.check import check_engine
    from gmmcompare.fitting.fit import Fit, load_fit
    from gmmcompare.model.card import load_card
    from gmmcompare.model.conjugate import ConjugatePriors
    from gmmcompare.model.exact import (
        exact_components,
        exact_dirichlet_process,
        exact_posterior,
    )
    from gmmcompare.model.mixture_model import MixtureModel
    from gmmcompare.model.multivariate.params import MultivariateParams
    from gmmcompare.model.multivariate.priors import MultivariatePriors
    from gmmcompare.model.params import Params
    from gmmcompare.model.priors import Priors
    from gmmcompare.model.protocol import Model
    from gmmcompare.model.restricted import RestrictedPriors
    from gmmcompare.model.sample import Sample
    from gmmcompare.report.plot import plot


def __getattr__(name: str) -> Any:
    return on_first_use(__name__, _PUBLIC, name)


def __dir__() -> list[str]:
    return __all__

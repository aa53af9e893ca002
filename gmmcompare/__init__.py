"""Gibbs, EM and NUTS for Gaussian mixtures side by side, and a verdict on whether they agree.

The public names below are imported when first used, so that importing the package is cheap.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "Comparison": "gmmcompare.compare.comparison",
    "Fit": "gmmcompare.fit",
    "Params": "gmmcompare.params",
    "Priors": "gmmcompare.priors",
    "Sample": "gmmcompare.sample",
    "align": "gmmcompare.compare.labels",
    "check_engine": "gmmcompare.engines.check",
    "compare": "gmmcompare.api",
    "exact_posterior": "gmmcompare.exact",
    "fit": "gmmcompare.api",
    "load_card": "gmmcompare.card",
    "load_fit": "gmmcompare.fit",
    "load_sample": "gmmcompare.data",
    "select": "gmmcompare.api",
    "sensitivity": "gmmcompare.sensitivity",
    "validate": "gmmcompare.api",
    "write_report": "gmmcompare.report",
}

__all__ = [
    "Comparison",
    "Fit",
    "Params",
    "Priors",
    "Sample",
    "__version__",
    "align",
    "check_engine",
    "compare",
    "exact_posterior",
    "fit",
    "load_card",
    "load_fit",
    "load_sample",
    "select",
    "sensitivity",
    "validate",
    "write_report",
]

if TYPE_CHECKING:
    from gmmcompare.api import compare, fit, validate
    from gmmcompare.card import load_card
    from gmmcompare.compare.comparison import Comparison
    from gmmcompare.compare.labels import align
    from gmmcompare.data import load_sample
    from gmmcompare.engines.check import check_engine
    from gmmcompare.exact import exact_posterior
    from gmmcompare.fit import Fit, load_fit
    from gmmcompare.params import Params
    from gmmcompare.priors import Priors
    from gmmcompare.report import write_report
    from gmmcompare.sample import Sample
    from gmmcompare.sensitivity import sensitivity


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'gmmcompare' has no attribute '{name}'")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


class _Package(ModuleType):
    """Keeps ``gmmcompare.fit`` and ``gmmcompare.compare`` functions.

    Importing a submodule of the same name would otherwise put the module in the function's place.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _PUBLIC and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return __all__

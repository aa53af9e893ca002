"""Self-contained HTML pages: of comparisons, of any draws, of validations, of priors changed.

Each is imported when first used, so that a page does not wait for what only other pages need.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gmmcompare.report.agreement.page import write_agreement
    from gmmcompare.report.comparison.page import write_index, write_report
    from gmmcompare.report.components.page import write_components
    from gmmcompare.report.paper import write_paper
    from gmmcompare.report.selection.page import write_selection
    from gmmcompare.report.sensitivity.page import write_sensitivity
    from gmmcompare.report.validation.page import write_validation

__all__ = [
    "write_agreement",
    "write_components",
    "write_index",
    "write_paper",
    "write_report",
    "write_selection",
    "write_sensitivity",
    "write_validation",
]
_HOMES = {
    "write_agreement": "agreement.page",
    "write_components": "components.page",
    "write_index": "comparison.page",
    "write_paper": "paper",
    "write_report": "comparison.page",
    "write_selection": "selection.page",
    "write_sensitivity": "sensitivity.page",
    "write_validation": "validation.page",
}


def __getattr__(name: str) -> Any:
    """Import a writer on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)

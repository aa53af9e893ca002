"""Self-contained HTML pages: of comparisons, of any draws, of validations, of priors changed.

Each is imported when first used, so that a page does not wait for what only other pages need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gmmcompare.runtime.lazy import on_first_use

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
    "write_agreement": "gmmcompare.report.agreement.page",
    "write_components": "gmmcompare.report.components.page",
    "write_index": "gmmcompare.report.comparison.page",
    "write_paper": "gmmcompare.report.paper",
    "write_report": "gmmcompare.report.comparison.page",
    "write_selection": "gmmcompare.report.selection.page",
    "write_sensitivity": "gmmcompare.report.sensitivity.page",
    "write_validation": "gmmcompare.report.validation.page",
}


def __getattr__(name: str) -> Any:
    """Import a writer on first use."""
    return on_first_use(__name__, _HOMES, name)

"""Self-contained HTML pages: of comparisons, of any draws, of validations, of priors changed."""

from __future__ import annotations

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

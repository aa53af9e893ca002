"""Self-contained HTML pages: of a comparison, of several, of a validation, of priors changed."""

from __future__ import annotations

from gmmcompare.report.page import write_index, write_report
from gmmcompare.report.select_page import write_selection
from gmmcompare.report.sensitivity_page import write_sensitivity
from gmmcompare.report.validation_page import write_validation

__all__ = [
    "write_index",
    "write_report",
    "write_selection",
    "write_sensitivity",
    "write_validation",
]

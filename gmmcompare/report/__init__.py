"""Self-contained HTML pages: of a comparison, of several, of a validation."""

from __future__ import annotations

from gmmcompare.report.page import write_index, write_report
from gmmcompare.report.validation_page import write_validation

__all__ = ["write_index", "write_report", "write_validation"]

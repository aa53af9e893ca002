"""One self-contained HTML page from a comparison, and an index over several."""

from __future__ import annotations

from gmmcompare.report.page import write_index, write_report

__all__ = ["write_index", "write_report"]

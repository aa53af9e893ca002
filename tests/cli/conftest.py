"""What tests of several commands share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands end without their page, which takes longer than all else and is not asked for.

    A command imports what writes it when it runs, so it finds this in its place.
    """
    monkeypatch.setattr("gmmcompare.report.write_report", lambda outcome, path: Path(path))

"""What a person sees of progress: bars that open and end, and fits that were there already."""

from __future__ import annotations

import io
import threading

import pytest
from rich.console import Console

from gmmcompare.cli import progress
from gmmcompare.cli.progress import Bars


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return what is printed on stderr, which is no terminal."""
    text = io.StringIO()
    monkeypatch.setattr(progress, "_stderr", Console(file=text, highlight=False, width=100))
    return text


def test_a_bar_is_printed_once_with_its_end(shown: io.StringIO) -> None:
    with Bars() as bars:
        for fraction in (0.0, 0.3, 0.9, 1.0, 1.0):
            bars("gibbs", fraction)
        assert len(shown.getvalue().splitlines()) == 1
    (line,) = shown.getvalue().splitlines()
    assert line.startswith("gibbs       ")
    assert "100 %" in line


def test_a_first_report_of_the_end_is_a_reuse(shown: io.StringIO) -> None:
    with Bars() as bars:
        bars("em", 1.0)
        bars("em", 1.0)
    assert shown.getvalue() == "em           reused\n"


def test_bars_of_one_time_end_together_and_a_name_may_begin_again(shown: io.StringIO) -> None:
    with Bars() as bars:
        bars("em", 0.0)
        bars("gibbs", 0.0)
        bars("em", 1.0)
        assert shown.getvalue() == ""
        bars("gibbs", 1.0)
        assert len(shown.getvalue().splitlines()) == 2
        bars("gibbs", 0.5)
        bars("gibbs", 1.0)
    assert [line.split()[0] for line in shown.getvalue().splitlines()] == ["em", "gibbs", "gibbs"]


def test_an_error_leaves_no_line_of_what_has_not_ended(shown: io.StringIO) -> None:
    bars = Bars()

    def interrupted() -> None:
        with bars:
            bars("em", 0.0)
            bars("nuts", 0.25)
            bars("em", 1.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    (line,) = shown.getvalue().splitlines()
    assert line.startswith("em ")
    before = shown.getvalue()
    with Bars() as other:
        other("nuts", 0.25)
    assert shown.getvalue().removeprefix(before).strip() == ""


def test_transient_bars_leave_nothing(shown: io.StringIO) -> None:
    with Bars(transient=True) as bars:
        bars("invariance", 0.1)
        bars("invariance", 1.0)
    assert shown.getvalue().strip() == ""


def test_reports_may_come_from_any_thread(shown: io.StringIO) -> None:
    def work(name: str) -> None:
        for i in range(200):
            bars(name, i / 200)
        bars(name, 1.0)

    with Bars() as bars:
        threads = [threading.Thread(target=work, args=(f"K={K} em",)) for K in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(line[:6] for line in shown.getvalue().splitlines()) == [
        f"K={K} em" for K in range(6)
    ]

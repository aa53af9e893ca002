"""Pages in Markdown."""

from __future__ import annotations

import pytest

from gmmcompare.studies.markdown import bullets, figure, number, page, table


def test_a_page_is_its_blocks_with_empty_lines_between() -> None:
    parts = ("# Title", "", bullets(["one", "two"]), figure("bars", "figures/a.svg"))
    assert page(*parts) == "# Title\n\n- one\n- two\n\n![bars](figures/a.svg)\n"


def test_a_table_has_text_on_the_left_and_numbers_on_the_right() -> None:
    found = table(["what", "n", "share"], [("all", 3, "1.0"), ("none", 0, "")])
    assert found.splitlines() == [
        "| what | n | share |",
        "|---|--:|--:|",
        "| all | 3 | 1.0 |",
        "| none | 0 |  |",
    ]
    assert table(["n", "what"], [], "rl") == "| n | what |\n|--:|---|"


def test_a_cell_stays_one_cell() -> None:
    assert table(["a"], [["`x | y`"], ["two\nlines"]]).splitlines()[2:] == [
        r"| `x \| y` |",
        "| two lines |",
    ]


@pytest.mark.parametrize(("rows", "align"), [([(1, 2), (1,)], ""), ([(1, 2)], "lrr")])
def test_rows_and_alignment_must_be_as_long_as_the_head(rows: list, align: str) -> None:
    with pytest.raises(ValueError, match="a table of 2 columns has"):
        table(["a", "b"], rows, align)


def test_small_numbers() -> None:
    assert [number(x) for x in (1e-5, 1.1e-5, 0.01, 2.5e-12)] == [
        "1e-5",
        "1.1e-5",
        "0.01",
        "2.5e-12",
    ]

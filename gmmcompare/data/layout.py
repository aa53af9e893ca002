"""How the rows of a text file are laid out: separator, header, first row, last row.

All lines are looked at, not the header alone: a title may hold a comma, and a column of decimal
commas makes two cells of each number.
"""

from __future__ import annotations

import contextlib
import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gmmcompare.runtime.errors import InputError

_LINES_TO_TELL_FROM = 1000
_SEPARATORS = "\t;|, "
"""In this order where several would do."""
_MOST_LINES_OF_FOOTER = 5
_IGNORED_FOOTER = re.compile(r"#.*|\(\d+ rows?\)|-+|=+")
_EXCEL_SAYS = re.compile(r'"?sep=.?"?')
"""The first line by which Excel is told the separator."""
_RULE = re.compile(r"[-+|=: ]{3,}")
_TOTAL = re.compile(r"(grand |sub)?(total|sum|mean|average|summe|gesamt)s?\b.*", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """Where the cells of a table are.

    Attributes
    ----------
    separator : str
        A space stands for any number of blanks.
    header : tuple of str
    skip : int
        Lines above the first row.
    rows : int
    has_footer : bool
        Whether lines below the last row are to be left out.
    """

    separator: str
    header: tuple[str, ...]
    skip: int
    rows: int = 0
    has_footer: bool = False


def layout_of(path: Path) -> Layout:
    """Tell the layout of a text file, whose every row was seen to be as long as the header.

    Raises
    ------
    InputError
        If it has comment lines or a title only, no header, or a row that is longer or shorter than
        the header.
    UnicodeDecodeError
        If it is not UTF-8.
    """
    comments, body = _head(path)
    if not body:
        raise InputError(f"{path}: has comment lines only; give a header line and rows of values")
    separator = _separator([line for _, line in body])
    layout = _header(path, separator, comments, body)
    return _counted(path, layout)


def cells(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """Split lines into cells; those without any are left out."""
    if separator == " ":
        lines = (" ".join(line.replace("\t", " ").split(" ")).strip() for line in lines)
    reader = csv.reader(iter(lines), delimiter=separator, skipinitialspace=True, strict=True)
    return (row for row in reader if row)


def is_number(text: str) -> bool:
    """Whether a cell is a number as Python writes it."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _head(path: Path) -> tuple[list[str], list[tuple[int, str]]]:
    """Return the comment lines above the header, and the lines below with their numbers from 0."""
    comments: list[str] = []
    body: list[tuple[int, str]] = []
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file):
            if line.startswith("#"):
                comments += [] if body else [line]
            elif not body and _EXCEL_SAYS.fullmatch(line.strip()):
                continue
            elif line.strip():
                body.append((number, line))
            if len(body) == _LINES_TO_TELL_FROM:
                break
    return comments, body


def _separator(lines: Sequence[str]) -> str:
    """Return the separator that gives most lines the same number of cells, the header among them.

    Where none does, a comma: the file has one column.
    """
    best, most = ",", 0.5
    for separator in _SEPARATORS:
        widths = [len(row) for row in _parsed(lines, separator)] or [0]
        width, times = Counter(widths).most_common(1)[0]
        if width < 2:
            continue
        score = times / len(widths) + {0: 0.5, 1: 0.25}.get(width - widths[0], 0.0)
        if score > most:
            best, most = separator, score
    return best


def _header(
    path: Path, separator: str, comments: Sequence[str], body: Sequence[tuple[int, str]]
) -> Layout:
    """Find the names of the columns: in the first line, or in the last comment above it."""
    lines = [line for _, line in body]
    rows = _parsed(lines, separator)
    if not rows:  # quotes that do not close; told when all rows are read
        return Layout(separator, tuple(body[0][1].split(separator)), body[0][0] + 1)
    first, width = rows[0], Counter(map(len, rows)).most_common(1)[0][0]
    if comments and any(map(is_number, first)):
        named = _names_in(comments[-1], separator, len(first))
        if named:
            return Layout(separator, named, body[0][0])
    if all(map(is_number, first)):
        raise InputError(
            f"{path}: the first line holds numbers ({', '.join(first[:3])}), not column "
            "names; put a header line above them"
        )
    names = tuple(name.strip() for name in first)
    layout = Layout(separator, names, body[0][0] + 1)
    named_rows = len(first) == width - 1 and len(rows) > 1 and len(rows[1]) == width
    if named_rows and any(is_number(cell.replace(",", ".")) for cell in rows[1]):
        return _one_name_short(path, layout, rows[1:], lines[1:])
    _refuse_title(path, rows, lines, width)
    return layout


def _parsed(lines: Sequence[str], separator: str) -> list[list[str]]:
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):  # told when all rows are read
        rows.extend(cells(lines, separator))
    return rows


def _names_in(comment: str, separator: str, width: int) -> tuple[str, ...]:
    """Return the names that a comment line holds, if it holds as many as there are columns."""
    text = comment.lstrip("# \t").rstrip("\n")
    found = next(iter(_parsed([text], separator)), [])
    if len(found) != width or any(map(is_number, found)) or (width == 1 and " " in text.strip()):
        return ()
    return tuple(name.strip() for name in found)


def _one_name_short(
    path: Path, layout: Layout, rows: Sequence[Sequence[str]], lines: Sequence[str]
) -> Layout:
    """Read R's row names, one column of decimal commas, or rows that end with a separator.

    Raises
    ------
    InputError
        If it cannot be told which of these a file has.
    """
    if all(row[-1] == "" for row in rows):
        return replace(layout, header=(*layout.header, ""))
    first = [row[0] for row in rows]
    if not all(map(is_number, first)) or any('"' in line for line in lines):
        return replace(layout, header=("", *layout.header))
    in_order = first == [str(i + 1) for i in range(len(rows))]
    wholes = all(len(row) == 2 and all(re.fullmatch(r"\d+", c) for c in row) for row in rows)
    if in_order and not wholes:
        return replace(layout, header=("", *layout.header))
    if layout.separator == "," and wholes and not in_order:
        return replace(layout, separator="\t")
    raise InputError(
        f"{path}: '{lines[0].strip()[:40]}' has one cell more than the header: is the first "
        "one the name of a row, or is this one number with a decimal comma or a blank between "
        "thousands? Give the first column a name, or write a decimal point and no blanks"
    )


def _refuse_title(
    path: Path, rows: Sequence[Sequence[str]], lines: Sequence[str], width: int
) -> None:
    if len(rows[0]) == width or len(rows) < 3:
        return
    at = next((i for i, row in enumerate(rows) if len(row) == width), 0)
    if 0 < at <= _MOST_LINES_OF_FOOTER and not any(map(is_number, rows[at])):
        raise InputError(
            f"{path}: the first line, '{lines[0].strip()[:40]}', is a title and no row of the "
            f"table, whose rows have {width} cells; put # in front of it, or delete it"
        )


def _counted(path: Path, layout: Layout) -> Layout:
    """Count the rows and refuse one of another width than the header.

    Pandas would pad a short row with missing values and, asked for some columns only, cut a long
    one; either hides a truncated file or a separator inside a cell.
    """
    width, number = len(layout.header), 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        for _ in range(layout.skip):
            file.readline()
        lines = _Counting(file)
        rows = cells(lines, layout.separator)
        try:
            last: list[str] = []
            for row in rows:
                if len(row) != width or _is_comment(row):
                    below = [row, *itertools.islice(rows, _MOST_LINES_OF_FOOTER)]
                    return _with_footer(path, layout, number, below, lines.last)
                number, last = number + 1, row
        except csv.Error as error:
            raise InputError(
                f"{path}: line {layout.skip + lines.number} is not CSV: {error}; give "
                "comma-separated values, with quotes in pairs"
            ) from None
    _refuse_total(path, layout, last, number)
    return replace(layout, rows=number)


def _is_comment(row: Sequence[str]) -> bool:
    """Whether a row is a comment; one with a number may be an observation called #1."""
    return row[0].startswith("#") and not any(map(is_number, row[1:]))


class _Counting:
    """Lines of a file, counted as they are read."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines, self.number, self.last = lines, 0, ""

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.number, self.last = self.number + 1, line
            yield line


def _with_footer(
    path: Path, layout: Layout, number: int, below: Sequence[list[str]], last_line: str
) -> Layout:
    """Leave out a footer that is sure to be one, or say what the row is that does not fit."""
    width, ends = len(layout.header), len(below) <= _MOST_LINES_OF_FOOTER
    texts = [layout.separator.join(row).strip() for row in below]
    if ends and number and all(_IGNORED_FOOTER.fullmatch(text) for text in texts):
        return replace(layout, rows=number, has_footer=True)
    whole = last_line.endswith(("\n", "\r"))
    if ends and number and whole and not any(is_number(c) for row in below for c in row):
        raise InputError(
            f"{path}: '{texts[0][:40]}' below row {number} is a footer and no row of the table; "
            "delete that line"
        )
    if _RULE.fullmatch(texts[0]):
        raise InputError(
            f"{path}: '{texts[0][:40]}' is a ruled line and no row of the table; delete that line"
        )
    raise InputError(
        f"{path}: the header has {width} cells and row {number + 1} below it {len(below[0])}; "
        "the file is not a CSV or was cut off: quote cells that contain the separator, "
        "or get the file again"
    )


def _refuse_total(path: Path, layout: Layout, last: Sequence[str], number: int) -> None:
    if number > 2 and len(last) > 1 and any(_TOTAL.fullmatch(cell.strip()) for cell in last):
        text = layout.separator.join(last).strip()
        raise InputError(
            f"{path}: the last row, '{text[:40]}', is a sum of the others and no observation; "
            "delete that line"
        )

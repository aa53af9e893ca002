"""What real users' files look like: read, or said in one line what they are and what to do."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gmmcompare import data
from gmmcompare.runtime.errors import InputError


def written(tmp_path: Path, content: str | bytes, name: str = "table.dat") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# The separator and the header


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("name;radius, R_J\na;1.5\nb;2.25\n", id="a comma in a title"),
        pytest.param("name;mass, M_J;x, y\na;u;1.5\nb;v;2.25\n", id="commas in two titles"),
        pytest.param("name|radius; all\na|1.5\nb|2.25\n", id="bars"),
        pytest.param("name\tradius, R_J; mean\na\t1.5\nb\t2.25\n", id="a tab"),
        pytest.param("name, first;r\na, b;1.5\nc, d;2.25\n", id="a comma in every line"),
        pytest.param("name;radius\na;1,5\nb;2,25\n", id="decimal commas"),
        pytest.param("name\tr\na\t1,5\nb\t2,25\n", id="decimal commas and tabs"),
        pytest.param('name,r\na,"1,5"\nb,"2,25"\n', id="decimal commas in quotes"),
        pytest.param('"","r"\n"1",1.5\n"2",2.25\n', id="R's write.csv"),
        pytest.param('"r"\n"1" 1.5\n"2" 2.25\n', id="R's write.table"),
        pytest.param('"r"\n"a",1.5\n"b",2.25\n', id="R's write.table with commas"),
        pytest.param(",r\n0,1.5\n1,2.25\n", id="pandas' index"),
        pytest.param("Unnamed: 0,r\n0,1.5\n1,2.25\n", id="pandas' index, read and written again"),
        pytest.param("# r\n1.5\n2.25\n", id="numpy.savetxt, one column"),
        pytest.param("# name r\na 1.5\nb 2.25\n", id="a header behind #"),
        pytest.param("# made by hand\n#name,r\na,1.5\nb,2.25\n", id="a header behind #, commas"),
        pytest.param("#id;r\na;1.5\nb;2.25\n", id="a header behind #, semicolons"),
        pytest.param("name   r\na     1.5\nb    2.25\n", id="blanks"),
        pytest.param("  name r  \n  a  1.5\n  b  2.25 \n", id="blanks at both ends"),
        pytest.param('name r\n"a b" 1.5\n"c d" 2.25\n', id="blanks in quotes"),
        pytest.param("name\t r\na \t1.5\nb\t2.25\n", id="blanks and tabs"),
        pytest.param(
            "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: r}\nname r\na 1.5\nb 2.25\n", id="ECSV"
        ),
        pytest.param("name,r\na,1.5\nb,2.25\n(2 rows)\n", id="psql's footer"),
        pytest.param("r\n1.5\n2.25\n# end\n", id="a footer behind # of one column"),
        pytest.param("name,r\na,1.5\nb,2.25\n# made by, me\n", id="a footer of as many cells"),
        pytest.param("r\n1.5\n   \n2.25\n\n", id="blank lines"),
        pytest.param("sep=;\nname;r\na;1.5\nb;2.25\n", id="Excel's first line"),
        pytest.param("name,r\na,1.5,\nb,2.25,\n", id="rows that end with a separator"),
        pytest.param("r\n1 1.5\n2 2.25\n", id="R's write.table, quote = FALSE"),
        pytest.param("name,r\n#1,1.5\n#2,2.25\n", id="names that begin with #"),
        pytest.param("name,r\na,1.5\nb,2.25\n# made by, me, too\n# end\n", id="a footer behind #"),
        pytest.param("name;r\na;1.5;\nb;2.25;\n".replace(";\n", "\n"), id="semicolons"),
        pytest.param("name,r\na,1.5D0\nb,0.225D+01\n", id="Fortran"),
    ],
)  # fmt: skip
def test_is_read(tmp_path: Path, content: str) -> None:
    assert data.load_rows(written(tmp_path, content)).y.tolist() == [1.5, 2.25]


@pytest.mark.parametrize(
    ("content", "values", "said"),
    [
        ("x\n2,25\n1,5\n", [2.25, 1.5], "column 'x' is read with decimal commas: 2,25 is 2.25"),
        ("x\n0,5\n0,75\n10,5\n", [0.5, 0.75, 10.5], "read with decimal commas"),
        ("n;x\na;1.234,5\nb;17,25\n", [1234.5, 17.25], "commas and points between thousands"),
        ('n,x\na,"1,234.5"\nb,17.25\n', [1234.5, 17.25], "read with commas between thousands"),
        ("n;x\na;1,5e3\nb;-2,5\nc;3\n", [1500, -2.5, 3], "read with decimal commas: 1,5e3 is 1500"),
        ("n,x\na,\u22121.5\nb,2\n", [-1.5, 2.0], "read with typographic minus signs"),
        ("n;x\na;,5\nb;2,5\nc;\n", [0.5, 2.5], "column 'x' is read with decimal commas"),
    ],
)
def test_how_numbers_were_read_is_said(
    tmp_path: Path, content: str, values: list[float], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert data.load_rows(written(tmp_path, content), "x").y.tolist() == values
    assert said in caplog.text


def test_a_long_file_is_told_by_its_lines_and_read_whole(tmp_path: Path) -> None:
    """Row names of R, 30,000 of them, and a footer."""
    y = np.random.default_rng(1).normal(size=30_000).round(6)
    lines = ['"a, b" "y"', *(f'"{i + 1}" {i % 7} {v}' for i, v in enumerate(y.tolist())), "# end"]
    rows = data.load_rows(written(tmp_path, "\n".join(lines)), "y")
    assert np.array_equal(rows.y, y)
    assert rows.row[-1] == 30_000


# What cannot be read is named


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest", ["Excel or OpenDocument workbook", "save the sheet as CSV"]),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", ["old Excel workbook"]),
        (b"\x1f\x8b\x08\0", ["compressed (gzip)", "gunzip"]),
        (b"PAR1\0", ["Parquet", "end in .parquet"]),
        (b"\x93NUMPY\x01\0", ["array of NumPy's"]),
        (b"\x89HDF\r\n\x1a\n", ["HDF5"]),
        (b"SQLite format 3\0", ["SQLite"]),
        (b"\x80\x04\x95", ["pickle"]),
        (b'[{"x": 1}, {"x": 2}]', ["JSON"]),
        (b"{\\rtf1 x\n1\n}", ["rich text"]),
        (b"%PDF-1.4", ["PDF"]),
        ("x\n1\n".encode("utf-16"), ["UTF-16", "save it as CSV in UTF-8"]),
        (b"Planet radii, Jupiter, 2026\nname,x\na,1\nb,2\nc,3\n", ["'Planet radii, Jup", "title"]),
        (b"Table 3\n\nname;x\na;1\nb;2\n", ["'Table 3'", "is a title", "put # in front"]),
        (b"Radii of planets\nJupiter = 1\nn,x\na,1\nb,2\nc,3\n", ["'Radii of planets'", "title"]),
        (b"n,x\na,1\nb,2\nSource: NASA\n", ["'Source: NASA' below row 2 is a footer"]),
        (b"n;x\na;1\nb;2\nfrom the archive\nthank you\n", ["'from the archive' below row 2"]),
        (b"n,x\na,1\nb,2\nc,3\nTotal,6\n", ["last row, 'Total,6'", "sum of the others"]),
        (b"n,x\na,1\nb,2\nc,3\nMean value,2\n", ["last row, 'Mean value,2'"]),
        (b"x\n1\nn.a.\n3\n", ["column 'x' has text in row 2", "'n.a.'", "leave the cell empty"]),
        (
            b"x\n1\n2\nthe end\n",
            ["text in row 3", "'the end'", "if it is a footer, delete that line"],
        ),
        (b"n,x\na,1\nb,?\nc,3\n", ["column 'x' has text in row 2", "'?'"]),
        (b"n,x\n-,km/s\na,1\nb,2\n", ["text in row 1", "'km/s'", "line of units"]),
        (b"n,x\na,1\nb,< 3\nc,4\nd,< 5\n", ["'< 3'", "limits and errors are not covered"]),
        ("n,x\na,1.5±0.1\nb,3\nc,4±1\nd,4\n".encode(), ["limits and errors are not covered"]),
        (b"n;x\na;1,234\nb;2,500\n", ["'1,234' a decimal comma, or does it stand between"]),
        (b"x\n1,5\n2,7\n3,1\n", ["'1,5' has one cell more than the header", "name of a row"]),
        (b"x\n1 234\n2 345\n", ["'1 234' has one cell more", "a blank between thousands"]),
        (b"x\n12 345\n13 456\n9 999\n", ["'12 345' has one cell more than the header"]),
        (b"x,y\n7,1.5,2\n9,2.5,3\n", ["'7,1.5,2' has one cell more than the header"]),
        (b"n,x\na,1\nb,2\nc", ["cut off"]),
        (b" n | x\n---+---\n a | 1\n b | 2\n(2 rows)\n", ["'---+---' is a ruled line"]),
        (b"| n | x |\n|---|---|\n| a | 1 |\n| b | 2 |\n", ["line of units, delete that line"]),
    ],
)
def test_is_named_in_one_line(tmp_path: Path, content: bytes, words: list[str]) -> None:
    path = written(tmp_path, content)
    with pytest.raises(InputError) as caught:
        data.load_rows(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    "content",
    [
        "Planet radii, Jupiter, 2026\nname,x\na,1\nb,2\nc,3\n",
        "Table 3\n\nname;x\na;1\nb;2\nc;3\n",
        "psql\n n | x\n a | 1\n b | 2\n c | 3\n(3 rows)\n",
    ],
)
def test_the_remedy_for_a_title_is_one(tmp_path: Path, content: str) -> None:
    assert data.load_rows(written(tmp_path, f"# {content}")).y.tolist() == [1, 2, 3]


# Codes for missing values


def radii(*codes: float) -> str:
    y = np.random.default_rng(1).gamma(2, 0.3, 60).round(3).tolist()
    return "x\n" + "\n".join(map(str, [*y[:30], *codes, *y[30:]])) + "\n"


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ((-999, -999, -999, -999), "has -999 (4 times), far from all other values (0."),
        ((-999.0,), "has -999 (1 times)"),
        ((-9999, -9999), "data.where=x != -9999'"),
        ((-99.99, -99.99), "has -99.99 (2 times)"),
        ((99999, 99999), "has 99999 (2 times)"),
        ((-999, -99, -99), "has -999 (1 times) and -99 (2 times)"),
        ((1e30,), "has 1e+30 (1 times)"),
        ((-32768,), "has -32768 (1 times)"),
    ],
)
def test_codes_for_missing_values_are_no_data(tmp_path: Path, codes, said: str) -> None:
    path = written(tmp_path, radii(*codes))
    with pytest.raises(InputError) as caught:
        data.load_rows(path)
    assert said in str(caught.value)
    assert "if they are real, say so by --set 'data.where=x == x'" in str(caught.value)
    assert data.load_rows(path, where="x == x").y.size == 60 + len(codes)
    assert data.load_rows(path, where="x > -50 and x < 100").y.size == 60


def test_codes_among_decimal_commas_are_left_out_as_the_message_says(tmp_path: Path) -> None:
    content = "n;radius, R\na;1,5\nb;-999\nc;2,25\nd;1,25\ne;1,75\n"
    path = written(tmp_path, content)
    with pytest.raises(InputError) as caught:
        data.load_rows(path)
    where = re.search(r"Leave them out by --set 'data.where=(.*?)'", str(caught.value))
    assert where is not None
    assert data.load_rows(path, where=where[1]).y.tolist() == [1.5, 2.25, 1.25, 1.75]


def test_text_in_rows_that_are_left_out_is_nobody_s_business(tmp_path: Path) -> None:
    path = written(tmp_path, "x,ok\n1,1\nn.a.,0\n3,1\nhm,1\n")
    assert data.load_rows(path, "x", where="ok == 1 and x != 'hm'").y.tolist() == [1, 3]
    with pytest.raises(InputError, match="text in row 4 below the header: 'hm' "):
        data.load_rows(path, "x", where="ok == 1")


@pytest.mark.parametrize(
    "y",
    [
        pytest.param([*range(0, 2000, 7), 999], id="in the midst"),
        pytest.param([95.0, 97.0, 98.5, 99.0, 96.0], id="near its neighbours"),
        pytest.param([0.1, 0.2, 0.3, 0.4, 17.0], id="an outlier"),
        pytest.param([1, 2, 3, 4, 5, 99], id="two nines"),
        pytest.param([-999, -999, -999], id="nothing else"),
    ],
)
def test_values_that_look_like_codes_are_data(tmp_path: Path, y: list[float]) -> None:
    path = written(tmp_path, "x\n" + "\n".join(map(str, y)) + "\n")
    assert data.load_rows(path).y.size == len(y)


# Astronomers' tables


@pytest.fixture
def table():
    astropy = pytest.importorskip("astropy.table")
    names = ["WASP-1 b", "HD 209458 b", "none", "Earth"]
    radius = np.ma.MaskedArray([1.5, 1.25, 0.0, 0.09], [False, False, True, False])
    numbers = np.ma.MaskedArray([3, 1, 2, 5], [False, True, False, False], dtype=np.int16)
    table = astropy.Table([names, radius, numbers], names=["name", "radius", "n"])
    table["radius"].unit = "km"
    return table


@pytest.mark.parametrize("form", ["fits", "votable", "ascii.ipac", "ascii.mrt"])
def test_astronomers_tables(tmp_path: Path, table, form: str) -> None:
    path = tmp_path / "planets.dat"
    table.write(path, format=form)
    rows = data.load_rows(path, "radius", name_column="name")
    assert rows.y.tolist() == [1.5, 1.25, 0.09]
    assert rows.names is not None
    assert [name.strip() for name in rows.names] == ["WASP-1 b", "HD 209458 b", "Earth"]
    assert rows.origin.n_missing == 1
    assert rows.row.tolist() == [1, 2, 4]
    assert data.load_rows(path, "radius", where="radius > 0.1 and name != 'Earth'").y.size == 2
    assert data.load_rows(path, "n").y.tolist() == [3, 2, 5]
    with pytest.raises(InputError, match=r"no column 'raduis' \(did you mean 'radius'\?\)"):
        data.load_rows(path, "raduis")


def test_fits_of_several_tables(tmp_path: Path, table) -> None:
    from astropy.io import fits

    hosts = type(table)([[5700.0, 6100.0]], names=["teff"])
    units = [
        fits.PrimaryHDU(),
        fits.table_to_hdu(table["name", "radius"]),
        fits.table_to_hdu(hosts),
    ]
    fits.HDUList(units).writeto(tmp_path / "two.fits")
    assert data.load_rows(tmp_path / "two.fits", "teff").y.tolist() == [5700, 6100]
    assert data.load_rows(tmp_path / "two.fits", "radius").y.size == 3
    with pytest.raises(InputError, match=r"2 tables have columns: extension 1 .*save the one"):
        data.load_rows(tmp_path / "two.fits")
    fits.PrimaryHDU(np.ones((4, 4))).writeto(tmp_path / "image.fits")
    with pytest.raises(InputError, match="this FITS file holds no table"):
        data.load_rows(tmp_path / "image.fits")


def test_damaged_astronomers_tables(tmp_path: Path, table) -> None:
    for form, name in (("fits", "FITS"), ("votable", "VOTable")):
        whole = tmp_path / f"whole.{form}"
        table.write(whole, format=form)
        path = written(tmp_path, whole.read_bytes()[: 3000 if form == "fits" else 600])
        with pytest.raises(InputError, match=f"{name}") as caught:
            data.load_rows(path, "radius")
        assert "\n" not in str(caught.value)


def test_without_astropy_the_table_is_named(
    tmp_path: Path, table, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.write(tmp_path / "a.fits")
    monkeypatch.setitem(__import__("sys").modules, "astropy.table", None)
    with pytest.raises(InputError, match=r"reading FITS needs astropy; install it by pip "):
        data.load_rows(tmp_path / "a.fits", "radius")


# Which rows, and how often


PLANETS = """name,x,flag,n,"Solution Type"
a,1,1,2,Published
b,2,0,1,Candidate
c,3,1,0,Published
d,,1,5,Published
e,4,1,3,Candidate
"""


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("flag == 1", "ace"),
        ("flag == 1 and x > 1", "ce"),
        ("not (flag == 1)", "b"),
        ("name in ['a', 'b']", "ab"),
        ("`Solution Type` == 'Candidate'", "be"),
        ("`Solution Type`.str.startswith('Pub') and x < 3", "a"),
        ("x.notna() and n >= 2", "ae"),
        ("x ** 2 + flag == 2", "a"),
    ],
)
def test_where_chooses_rows(tmp_path: Path, where: str, names: str) -> None:
    rows = data.load_rows(written(tmp_path, PLANETS), "x", name_column="name", where=where)
    assert rows.names == tuple(names)
    assert rows.row.tolist() == ["abcde".index(name) + 1 for name in names]
    assert rows.origin.source.endswith(f", where {where}")


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("flg == 1", "no column 'flg' (did you mean 'flag'?); columns: name, x, flag, n, Solution"),
        ("flag = 1", "is not a condition; write a condition on columns, as in default_flag == 1"),
        ("x + 1", "is true or false of no row"),
        ("True", "is true or false of no row"),
        ("x > 99", "no row meets it"),
        ("name > 3", "write a condition on columns"),
        ("@x > 1", "is not a condition"),
        ("x.to_csv('/tmp/stolen')", "does more than compare columns"),
        ("x.__class__ == 1", "does more than compare columns"),
        ("__import__('os').system('true') == 0", "does more than compare columns"),
        ("x.sum() > 3", "does more than compare columns"),
    ],
)
def test_what_is_no_condition(tmp_path: Path, where: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        data.load_rows(written(tmp_path, PLANETS), "x", where=where)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_are_counts(tmp_path: Path) -> None:
    rows = data.load_rows(written(tmp_path, PLANETS), "x", name_column="name", weight="n")
    assert rows.names == ("a", "b", "e")
    assert rows.sample.values.tolist() == [1, 2, 4]
    assert rows.sample.counts.tolist() == [2, 1, 3]
    assert rows.sample.n == 6
    assert rows.sample == data.load_rows(io_file(tmp_path, [1, 1, 2, 4, 4, 4])).sample
    flagged = data.load_rows(written(tmp_path, PLANETS), "x", where="flag == 1", weight="n")
    assert flagged.sample.n == 5


def io_file(tmp_path: Path, y: list[float]) -> Path:
    text = io.StringIO()
    pd.DataFrame({"x": y}).to_csv(text, index=False)
    return written(tmp_path, text.getvalue(), "plain.csv")


def test_a_random_part_of_counted_observations(tmp_path: Path) -> None:
    rows = data.load_rows(written(tmp_path, PLANETS), "x", weight="n")
    assert rows.random_part(6, 1).sample == rows.sample
    part = rows.random_part(4, 1)
    assert part.sample.n == 4
    assert "4 of 6 values" in part.origin.source
    plain = data.load_rows(io_file(tmp_path, [1, 1, 2, 4, 4, 4]))
    assert part.sample == plain.random_part(4, 1).sample
    with pytest.raises(InputError, match="7 is more than there are values"):
        rows.random_part(7, 1)


def test_a_sample_is_chosen_and_counted_as_well(tmp_path: Path) -> None:
    path = written(tmp_path, PLANETS)
    assert data.load_sample(path, "x", where="flag == 1", weight="n").y.tolist() == [1, 1, 4, 4, 4]


def test_large_counts_are_kept(tmp_path: Path) -> None:
    path = written(tmp_path, "x,n\n1,3000000000\n2,5\n1,1\n")
    assert data.load_rows(path, "x", weight="n").sample.counts.tolist() == [3_000_000_001, 5]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("x,n\n1,2\n2,0.5\n", "weight column 'n' has 0.5 in row 2 below the header (1 such rows)"),
        ("x,n\n1,-2\n2,1\n", "has -2 in row 1"),
        ("x,n\n1,\n2,1\n", "has nan in row 1 below the header (1 such rows); weights are counts"),
        ("x,n\n1,a\n2,b\n", "column 'n' has text"),
        ("x,m\n1,1\n", "no column 'n'"),
    ],
)
def test_weights_that_are_no_counts(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        data.load_rows(written(tmp_path, content), "x", weight="n")
    assert said in str(caught.value)

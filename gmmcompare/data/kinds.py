"""What a data file is, told by its first bytes: text, an astronomers' table, or neither."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gmmcompare.runtime.errors import InputError

Kind = Literal["text", "fits", "votable", "ascii.ipac", "ascii.cds"]
"""``text``, or the name of astropy's format."""

HEAD_BYTES = 65_536
_AS_CSV = "save it as CSV in UTF-8"
_BINARY = {
    b"PK\x03\x04": "an Excel or OpenDocument workbook, or a zip archive; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls); save the sheet as CSV",
    b"\x1f\x8b": "compressed (gzip); unpack it first (gunzip)",
    b"BZh": "compressed (bzip2); unpack it first",
    b"\xfd7zXZ": "compressed (xz); unpack it first",
    b"PAR1": "a Parquet file; let its name end in .parquet",
    b"\x93NUMPY": "an array of NumPy's; write it by numpy.savetxt(file, y, header='y')",
    b"\x89HDF": f"an HDF5 file; {_AS_CSV}",
    b"CDF": f"a NetCDF file; {_AS_CSV}",
    b"SQLite format 3": f"a SQLite database; {_AS_CSV}",
    b"%PDF": "a PDF; copy its table into a CSV file",
    b"{\\rtf": "a document in rich text; save it as plain text",
    b"RDX": "an R workspace; in R write write.csv(data, 'data.csv', row.names = FALSE)",
    b"\x80\x04": f"a Python pickle; {_AS_CSV} (DataFrame.to_csv)",
    b"\x80\x05": f"a Python pickle; {_AS_CSV} (DataFrame.to_csv)",
    b"\xff\xfe": f"a binary one, or text in UTF-16 (Excel's 'Unicode text'); {_AS_CSV}",
    b"\xfe\xff": f"a binary one, or text in UTF-16 (Excel's 'Unicode text'); {_AS_CSV}",
}


def kind_of_file(path: Path) -> Kind:
    """Tell how a file can be read.

    Raises
    ------
    InputError
        If it is a folder, empty, or of a kind that cannot be read; the message says which.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give a CSV file")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")
    if head.startswith(b"SIMPLE  ="):
        return "fits"
    for start, what in _BINARY.items():
        if head.startswith(start):
            raise InputError(f"{path}: not a CSV file but {what}")
    if b"\0" in head:
        raise InputError(f"{path}: not a CSV file but a binary one; {_AS_CSV}")
    return _kind_of_text(head.lstrip(), path)


def _kind_of_text(head: bytes, path: Path) -> Kind:
    if not head:
        raise InputError(f"{path}: is empty; give a CSV file with a header line and rows of values")
    if head.startswith(b"<"):
        if b"<VOTABLE" in head or b":VOTABLE" in head:
            return "votable"
        raise InputError(
            f"{path}: not a CSV file but HTML or XML, perhaps an error page saved under this "
            "name; download it again"
        )
    if head[:1] in b"{[" and head.split(b"\n", 1)[0].count(b'"') > 1:
        raise InputError(f"{path}: not a CSV file but JSON; {_AS_CSV}")
    if b"Byte-by-byte Description" in head:
        return "ascii.cds"
    return "ascii.ipac" if _is_ipac(head) else "text"


def _is_ipac(head: bytes) -> bool:
    r"""Whether lines of keywords (``\name = ...``) or of ``|name|name|`` stand above the rows."""
    lines = [line for line in head.splitlines() if line.strip()]
    table = [line for line in lines if not line.startswith(b"\\")]
    header = [line for line in table if line.startswith(b"|") and line.rstrip().endswith(b"|")]
    return (
        bool(header)
        and table[0] == header[0]
        and table[-1:] != header[-1:]
        and (len(header) <= 4 and b"---" not in b"".join(header[1:2]))
    )

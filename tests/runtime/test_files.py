"""Files are whole or not there; JSON has no NaN."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import replacing, to_json, write_json, write_text


def test_the_old_file_stays_where_writing_fails(tmp_path: Path) -> None:
    """Neither half a file nor the temporary one is left."""
    path = tmp_path / "kept.txt"
    write_text(path, "old")

    def write_half() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_said_in_one_line(tmp_path: Path) -> None:
    """The message names the file that could not be written."""
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"page\.html: cannot be written: ") as caught:
        write_text(tmp_path / "file" / "page.html", "")
    assert "\n" not in str(caught.value)


def test_json_has_null_for_what_is_not_finite(tmp_path: Path) -> None:
    """Arrays become lists, at any depth."""
    content = {"a": np.array([1.0, np.nan]), "b": [{"c": float("inf")}, np.int64(3)], "d": "x"}
    write_json(tmp_path / "x.json", content)
    found = json.loads((tmp_path / "x.json").read_text())
    assert found == {"a": [1.0, None], "b": [{"c": None}, 3], "d": "x"}
    assert to_json(content).endswith("}\n")

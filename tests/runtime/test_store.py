"""What is kept is found again, whatever a kill does to the last line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from torn import cuts

from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.store import Store, digest

OF = {"study": "of seeds", "seed": 4, "sizes": (1, 2)}
KEY = ("case", "number")
ROWS = {("a", 1): {"x": 0.1}, ("a", 2): {"x": [1, None]}, ("ä|\n", 1): {"x": {"y": "text"}}}


def opened(path: Path | None) -> Store:
    return Store(path, OF, KEY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "rows.jsonl"
    store = opened(path).begin()
    for key, row in ROWS.items():
        store.append(key, row)
    assert store.rows == ROWS
    return path


def test_what_is_kept_is_found_again(path: Path) -> None:
    assert opened(path).rows == ROWS
    assert opened(path).begin().rows == ROWS
    assert all(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def test_a_last_line_cut_at_any_byte_is_written_again(path: Path) -> None:
    *_, (key, row) = ROWS.items()
    for _ in cuts(path):
        store = opened(path).begin()
        assert store.rows == {k: v for k, v in ROWS.items() if k != key}
        store.append(key, row)


def test_a_first_line_cut_at_any_byte_is_as_if_nothing_were_there(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    opened(path).begin()
    for _ in cuts(path):
        assert opened(path).begin().rows == {}


def test_reading_alone_changes_nothing(path: Path) -> None:
    content = path.read_bytes()[:-3]
    path.write_bytes(content)
    assert len(opened(path).rows) == len(ROWS) - 1
    assert path.read_bytes() == content
    assert opened(path.with_name("none.jsonl")).rows == {}
    assert not path.with_name("none.jsonl").exists()


def test_rows_of_something_else_are_not_mixed_in(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(InputError) as caught:
        Store(path, {**OF, "seed": 5, "quick": True}, KEY)
    assert str(caught.value) == (
        f"{path}: holds other results: seed 4 (asked for: 5), quick none (asked for: True); "
        "give another folder"
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize("first", ['{"case": "a"}', "[1]", "text", '{"results of": 3}'])
def test_a_file_that_is_no_store_is_refused(tmp_path: Path, first: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{first}\n")
    with pytest.raises(InputError, match="does not say what it holds results of; give another"):
        opened(path)
    assert path.read_text() == f"{first}\n"


@pytest.mark.parametrize("line", [b'{"case": "a", "nu', b'{"case": "a"}', b"3", b"\xff\x00"])
def test_a_damaged_line_before_the_last_is_named(path: Path, line: bytes) -> None:
    lines = path.read_bytes().splitlines()
    lines[2] = line
    path.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(InputError, match=r"rows\.jsonl, line 3: is damaged; remove that line"):
        opened(path)


def test_without_a_file_rows_are_kept_in_memory(tmp_path: Path) -> None:
    store = opened(None).begin()
    store.append(("a", 1), {"x": 1})
    assert store.rows == {("a", 1): {"x": 1}}
    assert opened(None).rows == {}


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"rows\.jsonl: cannot be written: ") as caught:
        opened(tmp_path / "file" / "rows.jsonl").begin()
    assert "\n" not in str(caught.value)


def test_a_digest_tells_contents_apart_whatever_their_order() -> None:
    assert digest({"a": 1, "b": [2.0]}) == digest({"b": (2.0,), "a": 1})
    assert len({digest({"a": x}) for x in (1, 1 + 1e-15, "1", None)}) == 4

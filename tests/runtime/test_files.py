"""Files are whole or not there; JSON has no NaN."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import alone_in, replacing, to_json, write_json, write_text


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


def hold(folder: Path) -> subprocess.Popen[str]:
    """Start a process that has the folder for itself until its input ends."""
    code = (
        "import sys, pathlib; from gmmcompare.runtime.files import alone_in\n"
        "with alone_in(pathlib.Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    return process


def test_the_second_run_waits_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the folder would end with the files of whichever wrote last."""
    monkeypatch.setattr("gmmcompare.runtime.files._notices.propagate", True)
    first = hold(tmp_path / "run")
    order: list[str] = []

    def second() -> None:
        with alone_in(tmp_path / "run"):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    while not caplog.messages:
        time.sleep(0.01)
    order.append("first")
    first.communicate("")
    thread.join(20)
    assert order == ["first", "second"]
    (said,) = set(caplog.messages)
    assert said.startswith(f"another run is writing to {tmp_path / 'run'}; waiting until it has")


def test_a_run_that_was_killed_keeps_nobody_waiting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = hold(tmp_path)
    first.kill()
    first.communicate()
    with alone_in(tmp_path), alone_in(tmp_path):  # and what a run calls is no other run
        assert caplog.messages == []


def test_another_folder_is_nobody_s_business(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = hold(tmp_path)
    with alone_in(tmp_path / "sensitivity"):
        assert caplog.messages == []
    first.communicate("")


def test_a_folder_that_was_made_for_nothing_is_taken_away(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone_in(tmp_path / "a"):
        raise ZeroDivisionError
    with alone_in(tmp_path / "b"):
        (tmp_path / "b" / "file").touch()
    with pytest.raises(InputError, match=r"cannot be written: Not a directory"):
        alone_in(tmp_path / "b" / "file" / "c").__enter__()
    assert [p.name for p in tmp_path.iterdir()] == ["b"]

"""What happens to the output says nothing about the verdict: exit codes stay what they mean."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gmmcompare.cli import streams

pytestmark = pytest.mark.slow

SAY = """
import importlib.util, sys
from rich.console import Console
spec = importlib.util.spec_from_file_location('streams', sys.argv[2])  # and not all of cli
streams = importlib.util.module_from_spec(spec)
spec.loader.exec_module(streams)
streams.stand_fast()
console = Console(file=sys.stdout, width=1000)
for i in range(150):
    console.print(i, '\u00b1\u2264', 'x' * 900)
print('x', file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


def shell(command: str, code: int = 3, **options: str) -> subprocess.CompletedProcess[str]:
    """Run lines of output and an exit code in a shell; return the program's own exit code."""
    python = f'{sys.executable} -c "$SAY" {code} {streams.__file__}'
    script = f"set -o pipefail; {command.format(python=python)}"
    environment = {**os.environ, "SAY": SAY, **options}
    return subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize(
    "command",
    [
        pytest.param("{python} | head -3", id="a reader that leaves"),
        pytest.param("{python} 2>&1 | head -1", id="both streams"),
        pytest.param("{python} | true", id="no reader"),
        pytest.param("{python} >&-", id="closed"),
        pytest.param("{python} >&- 2>&-", id="both closed"),
        pytest.param("{python} > /dev/null", id="nowhere"),
        pytest.param("{python} > /dev/full", id="a full disk"),
    ],
)
def test_the_exit_code_is_the_verdict_s(command: str, code: int) -> None:
    found = shell(command, code)
    assert found.returncode == code
    assert "Traceback" not in found.stderr
    assert "Exception ignored" not in found.stderr


def test_a_full_disk_is_said() -> None:
    said = shell("{python} > /dev/full").stderr
    assert said.splitlines()[0] == (
        "gmmcompare: standard output cannot be written: No space left on device"
    )


def test_a_terminal_without_the_letters_is_no_error() -> None:
    found = shell("{python}", PYTHONIOENCODING="ascii:strict")
    assert found.returncode == 3
    assert found.stdout.startswith("0 ?? xxx")


@pytest.mark.slow
def test_a_verdict_is_no_other_because_of_head() -> None:
    """``gmmcompare validate ... | head`` ended with 141, and ``compare`` with 1: "disagree"."""
    command = f"{sys.executable} -m gmmcompare validate fault:rate-for-scale --quick"
    script = f"set -o pipefail; {command} | true"
    found = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert found.stderr.strip() == ""
    script = f"set -o pipefail; {sys.executable} -m gmmcompare data list | true"
    assert subprocess.run(["bash", "-c", script], check=False).returncode == 0


def test_what_is_written_is_written(tmp_path: Path) -> None:
    shell(f"{{python}} > {tmp_path / 'out'}")
    lines = (tmp_path / "out").read_text(encoding="utf-8").splitlines()
    assert lines[-1].startswith("149 \u00b1\u2264 xxx")
    assert len(lines) == 150

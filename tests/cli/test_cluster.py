"""``--workers`` and ``--scheduler`` on the command line: the same results, and no Dask without."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from gmmcompare.cli import app
from gmmcompare.fitting.fit import load_fit

pytestmark = pytest.mark.slow

SMALL = (
    "--set", "engines.gibbs.draws=400", "--set", "engines.gibbs.warmup=200",
    "--set", "engines.em.starts=4",
)  # fmt: skip


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.usefixtures("no_page")
def test_fits_on_workers_are_those_made_here(tmp_path: Path) -> None:
    for folder, where in (("here", ()), ("there", ("--workers", "2"))):
        code, _, said = run(
            "compare", "galaxies-k4", "--engines", "em,gibbs", "--out", tmp_path / folder, *SMALL,
            "--fresh", *where,
        )  # fmt: skip
        assert code == 3, said  # 400 draws are too few to agree
        assert "gibbs" in said
    for name in ("em", "gibbs"):
        here, there = (load_fit(tmp_path / f / "fits" / f"{name}.nc") for f in ("here", "there"))
        np.testing.assert_array_equal(here.tree["posterior"]["mu"], there.tree["posterior"]["mu"])
    again = run("fit", "galaxies-k4", "--engine", "gibbs", "--out", tmp_path / "there", *SMALL)
    assert "gibbs        reused" in again[2]


def test_a_validation_on_workers_is_that_made_here() -> None:
    found = []
    for where in ((), ("--workers", "2")):
        code, out, said = run("validate", "fault:rate-for-scale", "--quick", "--json", *where)
        assert code == 1, said
        checks = json.loads(out)["checks"]
        found.append([{k: v for k, v in check.items() if k != "seconds"} for check in checks])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--workers", "2", "--scheduler", "tcp://127.0.0.1:1"), "give one of them"),
        (("--workers", "0"), "--workers 0: give 1 or more"),
        (("--scheduler", "nowhere"), "--scheduler nowhere: cannot be reached"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        ("compare", "galaxies-k4"),
        ("fit", "galaxies-k4", "--engine", "em"),
        ("validate", "gibbs"),
        ("study", "verdict"),
        ("study", "evidence"),
        ("study", "gallery"),
        ("select", "galaxies-k4"),
    ],
)
def test_a_place_that_is_none_is_one_clear_line(
    command: tuple[str, ...], arguments: tuple[str, ...], why: str, tmp_path: Path
) -> None:
    code, _, said = run(*command, *arguments, "--out", tmp_path / "out")
    assert code == 2
    assert why in said
    assert len([line for line in said.splitlines() if line.startswith("gmmcompare: ")]) == 1
    assert "Traceback" not in said


def test_without_the_options_dask_is_not_wanted(tmp_path: Path) -> None:
    """Where any import of Dask fails; with Dask there, xarray imports it to write a file."""
    code = (
        "import sys\n"
        "sys.modules['dask'] = sys.modules['distributed'] = None\n"
        "from gmmcompare.cli import app\n"
        "import gmmcompare.api, gmmcompare.studies.verdict\n"
        "for arguments in (\n"
        f"    ['fit', 'galaxies-k4', '--engine', 'em', '--out', {str(tmp_path)!r}],\n"
        "    ['validate', 'fault:rate-for-scale', '--quick'],\n"
        "    ['validate', 'gibbs', '--workers', '2'],\n"
        "):\n"
        "    try: app(arguments)\n"
        "    except SystemExit as end: print('exit', end.code)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    codes = [line for line in result.stdout.splitlines() if line.startswith("exit ")]
    assert codes == ["exit 0", "exit 1", "exit 2"], result.stderr
    assert "pip install 'gmmcompare[dask]'" in result.stderr.replace("\n", " ")


def test_ctrl_c_ends_the_workers_and_keeps_what_is_finished(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "gmmcompare", "compare", "galaxies-k4", "--engines", "em,gibbs",
        "--out", str(tmp_path), "--set", "engines.gibbs.draws=5000000", "--workers", "2",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        deadline = time.monotonic() + 180
        while not (tmp_path / "fits" / "em.nc").is_file() and time.monotonic() < deadline:
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the workers as well
        _, said = process.communicate(timeout=100)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "finished fits and replicates in an output folder are kept" in said
    assert (tmp_path / "fits" / "em.nc").is_file()
    while living(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not living(process.pid)


def living(group: int) -> list[str]:
    """Return the processes of a group that have not ended."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, its_group = file.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                found.append(file.parent.name)
    return found

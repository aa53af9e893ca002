"""The command line as a user meets it: results, exit codes, and one clear line on bad input."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from gmmcompare.cli import app
from gmmcompare.cli.application import heeding_interrupts
from gmmcompare.fitting.fit import load_fit

SMALL = (
    "--set", "engines.gibbs.draws=400", "--set", "engines.gibbs.warmup=200",
    "--set", "engines.em.starts=4", "--set", "engines.custom.draws=200",
    "--set", "engines.custom.warmup=50",
)  # fmt: skip

CARD = """
title = "Small"
[data]
path = "small.csv"
column = "x"
[mixture]
components = 2
[priors]
weight_concentration = 1.0
mean_loc = 0.0
mean_sd = 10.0
var_shape = 2.0
var_scale = 1.0
"""


def card_in(folder: Path) -> Path:
    rng = np.random.default_rng(1)
    x = np.round(np.concatenate([rng.normal(-2, 0.5, 60), rng.normal(2, 0.8, 40)]), 2)
    (folder / "small.csv").write_text("x\n" + "\n".join(map(str, x)) + "\n")
    path = folder / "small.toml"
    path.write_text(CARD)
    return path


@pytest.fixture
def card(tmp_path: Path) -> Path:
    return card_in(tmp_path)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Compare EM and Gibbs once, to look at; return the output folder, and what was said."""
    card = card_in(tmp_path_factory.mktemp("first"))
    out = card.parent / "out"
    return out, run("compare", card, "--engines", "em,gibbs", "--out", out, *SMALL)


@pytest.fixture
def finished(
    card: Path, first_run: tuple[Path, Result], shared_cache: Path, own_cache: Path
) -> tuple[Path, tuple[object, ...]]:
    """Return a copy of that folder, to change; and the arguments of the run, to give again."""
    out = card.parent / "out"
    shutil.copytree(first_run[0], out)
    shutil.copytree(shared_cache / "fits", own_cache / "fits")
    return out, ("compare", card, "--engines", "em,gibbs", "--out", out, *SMALL)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def complaint(*arguments: object) -> str:
    """Run something that cannot work; return its one line."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("gmmcompare: ")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.output
    assert "internal error" not in result.stderr
    return lines[0]


def write_column(card: Path, text: str) -> None:
    (card.parent / "small.csv").write_text(text)


class TestCompare:
    @pytest.mark.slow
    def test_writes_page_json_and_fits_and_says_the_verdict_first(
        self, first_run: tuple[Path, Result]
    ) -> None:
        out, result = first_run
        content = json.loads((out / "comparison.json").read_text())
        assert result.stdout.startswith(content["verdict"].upper())
        assert (
            result.exit_code == {"agree": 0, "disagree": 1, "inconclusive": 3}[content["verdict"]]
        )
        assert (out / "index.html").stat().st_size > 10_000
        assert load_fit(out / "fits" / "gibbs.nc").tree["posterior_raw"]["w"].shape == (4, 400, 2)

    def test_json_has_the_contract_of_the_design(self, first_run: tuple[Path, Result]) -> None:
        content = json.loads((first_run[0] / "comparison.json").read_text())
        assert {
            "schema",
            "version",
            "created",
            "card",
            "verdict",
            "data",
            "engines",
            "pairs",
        } <= set(content)
        assert set(content["data"]) >= {
            "name", "source", "simulated", "n", "n_distinct", "n_missing", "sha256",
        }  # fmt: skip
        gibbs = content["engines"]["gibbs"]
        assert gibbs["kind"] == "draws"
        assert content["engines"]["em"]["kind"] == "point"
        assert set(gibbs) >= {
            "weights", "means", "sds", "weights_sd", "means_sd", "sds_sd", "log_lik", "prob_empty",
            "ess_min", "rhat_max", "divergences", "seconds", "status",
        }  # fmt: skip
        assert gibbs["means"] == sorted(gibbs["means"])
        assert set(gibbs["seconds"]) == {"prepare", "sample"}
        assert {"a", "b", "verdict", "reasons", "functionals"} <= set(content["pairs"][0])

    @pytest.mark.usefixtures("no_page")
    @pytest.mark.slow
    def test_second_run_reuses_fits_and_fresh_does_not(
        self, finished: tuple[Path, tuple[object, ...]]
    ) -> None:
        out, arguments = finished
        page = (out / "index.html").stat().st_mtime_ns
        again = run(*arguments)
        assert again.stderr.count("reused") == 2
        assert (out / "index.html").stat().st_mtime_ns == page  # nothing was made again
        assert "reused" not in run(*arguments, "--fresh").stderr
        changed = run(*arguments, "--set", "priors.mean_sd=11.0")
        assert "reused" not in changed.stderr

    @pytest.mark.usefixtures("no_page")
    @pytest.mark.slow
    def test_another_folder_reuses_the_fits_too(
        self, finished: tuple[Path, tuple[object, ...]]
    ) -> None:
        out, arguments = finished
        again = run(*arguments, "--out", out.parent / "other")
        assert again.stderr.count("reused") == 2
        one, other = (load_fit(f / "fits" / "gibbs.nc") for f in (out, out.parent / "other"))
        assert one == other  # aligned draws as well

    @pytest.mark.usefixtures("no_page")
    @pytest.mark.parametrize("where", ["cache", "output folder"])
    @pytest.mark.slow
    def test_a_damaged_fit_is_mended(
        self, finished: tuple[Path, tuple[object, ...]], own_cache: Path, where: str
    ) -> None:
        out, arguments = finished
        fit = out / "fits" / "gibbs.nc"
        whole = load_fit(fit)
        kept = own_cache / "fits" / f"{whole.key}.nc"
        damaged = kept if where == "cache" else fit
        damaged.write_bytes(damaged.read_bytes()[:2000])
        # A folder in which nothing has changed does not need the cache; another one does.
        elsewhere = out.parent / "elsewhere"
        result = run(*arguments, *(["--out", elsewhere] if where == "cache" else []))
        assert result.stderr.count("damaged") == (1 if where == "cache" else 0)
        assert result.stderr.count("reused") == (1 if where == "cache" else 2)
        made = elsewhere / "fits" / "gibbs.nc" if where == "cache" else fit
        for path in (made, kept):
            assert np.array_equal(load_fit(path).params.mu, whole.params.mu)

    @pytest.mark.slow
    def test_same_seed_same_numbers_other_seed_others(self, card: Path) -> None:
        entries = []
        for i, seed in enumerate((1, 1, 2)):
            out = card.parent / f"out{i}"
            result = run(
                "fit", card, "--engine", "gibbs", "--seed", seed, "--json", "--fresh",
                "--out", out, *SMALL,
            )  # fmt: skip
            entries.append(json.loads(result.stdout)["means"])
        assert entries[0] == entries[1] != entries[2]

    @pytest.mark.usefixtures("no_page")
    @pytest.mark.slow
    def test_own_sampler_and_draws_from_elsewhere_become_columns(self, card: Path) -> None:
        sampler = card.parent / "mine.py"
        sampler.write_text(
            "def sweep(w, mu, sigma, y, priors, rng):\n"
            "    print('noise on stdout')\n"
            "    return w, mu + 0.01 * rng.standard_normal(mu.shape), sigma\n"
        )
        out = card.parent / "out"
        run("fit", card, "--engine", "gibbs", "--out", card.parent / "first", *SMALL)
        result = run(
            "compare", card, "--engines", "em", "--engine", f"mine={sampler}:sweep",
            "--draws", f"other={card.parent / 'first/fits/gibbs.nc'}", "--out", out, *SMALL,
        )  # fmt: skip
        content = json.loads((out / "comparison.json").read_text())
        assert list(content["engines"]) == ["em", "mine", "other"]
        assert "noise on stdout" not in result.stdout
        # This kernel never moves its weights, so chains that start apart stay apart: R-hat forbids
        # agreement, and four chains are too few for a difference between them to be significant.
        found = {(p["a"], p["b"]): (p["verdict"], p["suspect"]) for p in content["pairs"]}
        assert found == {
            ("em", "mine"): ("inconclusive", "mine"),
            ("em", "other"): ("agree", None),
            ("mine", "other"): ("inconclusive", "mine"),
        }
        assert result.exit_code == 3

    def test_stand_in_is_announced(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GMMCOMPARE_CACHE", str(tmp_path / "cache"))
        result = run(
            "compare", "exoplanets-k2", "--offline", "--engines", "em", "--out", tmp_path / "out"
        )
        assert "simulated" in result.stderr
        assert "data fetch exoplanets" in result.stderr
        assert json.loads((tmp_path / "out/comparison.json").read_text())["data"]["simulated"]
        assert "simulated" in (tmp_path / "out/index.html").read_text()

    @pytest.mark.slow
    def test_report_again_from_finished_fits(
        self, finished: tuple[Path, tuple[object, ...]]
    ) -> None:
        out, _ = finished
        before = json.loads((out / "comparison.json").read_text())
        (out / "index.html").unlink()
        assert run("report", out).exit_code == 0
        assert (out / "index.html").is_file()
        assert json.loads((out / "comparison.json").read_text()) == before
        for pair in before["pairs"]:
            del pair["codes"]  # as an earlier version wrote it
        (out / "comparison.json").write_text(json.dumps(before))
        result = run("report", out)
        assert result.exit_code == 0
        assert "written by an earlier version" in result.stderr
        assert before["pairs"][0]["reasons"][0][5:] in (out / "index.html").read_text()


class TestBadInput:
    def test_no_such_card_suggests_one(self) -> None:
        assert "exoplanets-k3" in complaint("compare", "exoplanet-k3")

    def test_unknown_key(self, card: Path) -> None:
        card.write_text(card.read_text() + "[engines.gibbs]\ndrws = 3\n")
        line = complaint("compare", card)
        assert "small.toml" in line
        assert "engines.gibbs.drws" in line
        assert "did you mean 'draws'" in line

    @pytest.mark.parametrize(
        ("override", "named"),
        [
            ("mixture.components=0", "mixture.components"),
            ("priors.mean_sd=0", "priors.mean_sd"),
            ("priors.var_scale=-1", "priors.var_scale"),
            ("priors.mean_loc=[1.0,2.0,3.0]", "mean_loc"),
            ("engines.gibbs.draws=many", "engines.gibbs.draws"),
            ("engines.nuts.identify=sorted", "engines.nuts.identify"),
            ("nonsense", "KEY=VALUE"),
        ],
    )
    def test_impossible_value(self, card: Path, override: str, named: str) -> None:
        assert named in complaint("compare", card, "--set", override)

    @pytest.mark.parametrize(
        ("content", "named"),
        [
            ("", "empty"),
            ("<!DOCTYPE html><html><body>503</body></html>\n", "HTML"),
            ("z\n1\n2\n", "x"),
            ("x\n1\nabout two\n3\n", "about two"),
            ("x\n1\ninf\n3\n", "inf"),
            ("x\nNaN\n\n", "missing"),
            ("x\n1\n1\n1\n", "distinct"),
        ],
    )
    def test_column_that_cannot_be_used(self, card: Path, content: str, named: str) -> None:
        write_column(card, content)
        line = complaint("compare", card, "--engines", "em", "--out", card.parent / "out")
        assert named in line
        assert "small.csv" in line

    def test_log_of_zero(self, card: Path) -> None:
        write_column(card, "x\n1\n0\n-3\n")
        line = complaint("compare", card, "--set", "data.transform=log10")
        assert "log10" in line
        assert "row" in line

    def test_no_such_data_file(self, card: Path) -> None:
        assert "absent.csv" in complaint("compare", card, "--data", "absent.csv")

    def test_no_such_engine(self, card: Path) -> None:
        assert "did you mean 'gibbs'" in complaint("compare", card, "--engines", "em,gibs")

    @pytest.mark.parametrize(
        ("body", "named"),
        [
            ("raise ValueError('oops')", "oops"),
            ("return w, mu", "(w, mu, sigma)"),
            ("return w, mu[:1], sigma", "shape"),
            ("return w, mu * float('nan'), sigma", "NaN"),
            ("return w + 1, mu, sigma", "sum to 1"),
            ("return w, mu, -sigma", "sigma must be positive"),
            ("raise SystemExit(0)", "SystemExit"),
        ],
    )
    def test_own_engine_that_fails(self, card: Path, body: str, named: str) -> None:
        sampler = card.parent / "mine.py"
        sampler.write_text(f"def sweep(w, mu, sigma, y, priors, rng):\n    {body}\n")
        out = card.parent / "out"
        line = complaint(
            "compare", card, "--engines", "em", "--engine", f"mine={sampler}:sweep", "--out", out,
            *SMALL,
        )  # fmt: skip
        assert named in line
        assert "mine" in line
        assert (out / "fits" / "em.nc").is_file()  # what was finished is kept
        assert not (out / "comparison.json").exists()
        if "traceback is in" in line:
            log = Path(line.rpartition("traceback is in ")[2])
            assert "Traceback" in log.read_text()

    def test_output_folder_that_cannot_be_written(self, card: Path) -> None:
        blocked = card.parent / "file"
        blocked.write_text("")
        assert "cannot be written" in complaint("compare", card, "--out", blocked / "out", *SMALL)

    def test_truncated_cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GMMCOMPARE_CACHE", str(tmp_path))
        (tmp_path / "exoplanets.csv").write_text("pl_name,pl_ra")
        (tmp_path / "exoplanets.json").write_text("{}")
        result = run("compare", "exoplanets-k2", "--offline", "--engines", "em")
        assert result.exit_code == 2
        assert "exoplanets" in result.stderr

    def test_a_page_is_no_folder_for_an_index(self, tmp_path: Path) -> None:
        assert "give a folder" in complaint("report", tmp_path, "--out", tmp_path / "all.html")

    def test_report_of_nothing(self, tmp_path: Path) -> None:
        assert "comparison.json" in complaint("report", tmp_path)

    def test_usage_errors_exit_with_2(self) -> None:
        assert run("compare").exit_code == 2
        assert run("no-such-command").exit_code == 2


@pytest.mark.usefixtures("no_page")
@pytest.mark.slow
def test_interrupt_keeps_what_is_finished(card: Path) -> None:
    """Ctrl-C during a long Gibbs run exits with 130, and EM's fit is reused afterwards."""
    out = card.parent / "out"
    command = [
        sys.executable, "-m", "gmmcompare", "compare", str(card), "--engines", "em,gibbs",
        "--out", str(out), "--set", "engines.gibbs.draws=5000000",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ}, text=True
    ) as process:
        deadline = time.monotonic() + 120
        while not (out / "fits" / "em.nc").is_file() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert not list(out.rglob("*.tmp"))
    again = run("compare", card, "--engines", "em,gibbs", "--out", out, *SMALL, "--set",
                "engines.em.starts=20")  # fmt: skip
    assert "em           reused" in again.stderr


class Finalized:
    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)  # Ctrl-C while Python finalizes: printed and forgotten


def test_an_interrupt_dropped_by_a_finalizer_comes_again() -> None:
    came = False
    with heeding_interrupts():
        try:
            Finalized()
            time.sleep(20)
        except KeyboardInterrupt:
            came = True
    assert came


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (["--help"], ["numpy", "pandas", "scipy", "numba", "pymc", "matplotlib", "arviz"]),
        (["data", "list"], ["pandas", "scipy", "numba", "pymc", "matplotlib", "arviz"]),
        (
            ["validate", "fault:one-uniform-for-all", "--quick", "--jobs", "1", "--json"],
            ["pandas", "xarray", "pymc", "matplotlib", "arviz_base", "arviz_stats", "scipy.stats"],
        ),
    ],
)
def test_start_up_imports_only_what_it_needs(arguments: list[str], forbidden: list[str]) -> None:
    code = (
        "import sys; from gmmcompare.cli import app; sys.argv[1:] = " + repr(arguments) + "\n"
        "try: app()\nexcept SystemExit: pass\n"
        f"print([m for m in {forbidden!r} if m in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stderr.strip().splitlines()[-1] == "[]"


def test_import_is_light() -> None:
    code = (
        "import sys, gmmcompare; heavy = ['pymc', 'numba', 'matplotlib', 'scipy', 'pandas']; "
        "print([m for m in heavy if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"

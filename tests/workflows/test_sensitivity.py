"""A whole study of sensitivity: its fits, its files, its page and its command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from ledger import Ledger
from typer.testing import CliRunner

import gmmcompare as gc
from gmmcompare.cli import app
from gmmcompare.cli.show import print_sensitivity
from gmmcompare.data import Rows
from gmmcompare.model.card import Card, validated_card
from gmmcompare.report import write_sensitivity
from gmmcompare.report.sensitivity.page import conclusion
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import to_json
from gmmcompare.workflows.sensitivity import Sensitivity

pytestmark = pytest.mark.slow

Y = np.array([0.3, 1.9, 1.1, 0.7, 2.2, 1.4])
PRIORS = gc.Priors(1.0, 0.0, 1.0, 3.0, 2.0)


def card_of(components: int, priors: gc.Priors = PRIORS, draws: int = 1500) -> Card:
    content = {
        "title": "Small",
        "data": {"path": "small.csv", "column": "x"},
        "mixture": {"components": components},
        "priors": priors.to_dict(),
        "engines": {"gibbs": {"draws": draws, "warmup": 200}, "em": {"starts": 4}},
    }
    return validated_card(content, Path("small.toml"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def one(folder: Path) -> Sensitivity:
    """Return the study of one normal: its posterior is a function of a few numbers."""
    return gc.sensitivity(card_of(1), rows=Rows.of(Y), folder=folder)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Sensitivity:
    """Return the study of two components, one of which may be empty."""
    return gc.sensitivity(card_of(2, draws=1500), rows=Rows.of(Y))


@pytest.mark.parametrize("name", ["mu[1]", "log_sigma[1]"])
def test_medians_under_every_prior_are_the_exact_ones(one: Sensitivity, name: str) -> None:
    """The exact distribution function at a median is 1/2 but for Monte Carlo error.

    That is below 0.5 * 6.5 / sqrt(ESS) but for 8e-11, times 11 fits.
    """
    kind = name.partition("[")[0].removeprefix("log_")
    for fit in (one.base, *(r.fit for r in one.reruns)):
        exact = gc.exact_posterior(Y, 1, fit.priors)
        median = fit.medians[name]
        at = np.exp(median) if name.startswith("log_") else median
        assert float(np.ravel(exact.cdf(kind, at))[0]) == pytest.approx(
            0.5, abs=6.5 * 0.5 / np.sqrt(fit.ess_min)
        )
        assert fit.ess_min > 1000


def test_what_moves_moves_the_right_way(one: Sensitivity) -> None:
    table = one.table()
    assert (
        table.loc["mu[1]", "mean_loc-raised"] > 0.1 > -0.1 > table.loc["mu[1]", "mean_loc-lowered"]
    )
    assert table.loc["log_sigma[1]", "var_scale-doubled"] > 0.1
    assert table.loc["log_sigma[1]", "var_shape-doubled"] < -0.1
    assert one.finding("mean_loc") == one.finding("var_scale") == "matters"
    # With one component there are no weights to have a prior.
    assert one.finding("weight_concentration") == "does not matter"


def test_power_scaling_sees_the_same_priors(one: Sensitivity) -> None:
    rates = one.scaling_table()
    assert rates.loc["mu[1]", "means"] > 0.05
    assert rates.loc["log_sigma[1]", "variances"] > 0.05
    assert rates["weights"].max() < 1e-9
    assert rates.loc["mu[1]", "likelihood"] > 0.05


def test_fits_are_kept_and_reused(
    one: Sensitivity, folder: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sorted(folder.glob("*/fits/gibbs.nc"))
    assert len(files) == 10
    assert {f.parts[-3] for f in files} == {r.change.name for r in one.reruns}
    before = [f.stat().st_mtime_ns for f in files]
    monkeypatch.setenv("GMMCOMPARE_CACHE", str(shared_cache))  # the one that the fixture used
    ledger = Ledger()
    again = gc.sensitivity(card_of(1), rows=Rows.of(Y), folder=folder, progress=ledger)
    assert (len(ledger.reused), ledger.begun) == (12, [])
    assert [f.stat().st_mtime_ns for f in files] == before
    assert to_json(again.to_dict()["reruns"][3]) == to_json(one.to_dict()["reruns"][3])


def test_every_rerun_has_a_seed_of_its_own(one: Sensitivity, folder: Path) -> None:
    seeds = {gc.load_fit(path).seed for path in folder.glob("**/gibbs.nc")}
    assert len(seeds) == 11


def test_the_json_says_all_of_it(one: Sensitivity, folder: Path) -> None:
    content = json.loads((folder / "sensitivity.json").read_text())
    assert content["findings"] == {field: one.finding(field) for field in one.fields}
    assert [r["name"] for r in content["reruns"]] == [r.change.name for r in one.reruns]
    moved = {s["name"]: s for s in content["reruns"][3]["shifts"]}
    assert content["reruns"][3]["name"] == "mean_loc-raised"
    assert moved["mu[1]"]["location"] == one.table().loc["mu[1]", "mean_loc-raised"]
    assert content["reruns"][3]["priors"]["mean_loc"] == 0.5


def test_json_on_stdout_is_the_file(
    one: Sensitivity, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_sensitivity(one, folder / "index.html", as_json=True)
    printed = json.loads(capsys.readouterr().out)
    written = json.loads((folder / "sensitivity.json").read_text())
    assert printed.pop("created") <= written.pop("created")  # another test wrote it again
    assert printed == written


def test_an_empty_component_is_counted_and_its_odds_are_known(few: Sensitivity) -> None:
    exact = gc.exact_posterior(Y, 2, PRIORS).prob_occupied
    assert few.base.occupied.keys() == {1, 2}
    assert few.base.prob_empty == pytest.approx(exact[1], abs=6.5 * 0.5 / np.sqrt(500))
    doubled = next(r for r in few.reruns if r.change.name == "weight_concentration-doubled")
    new = gc.exact_posterior(Y, 2, doubled.change.priors).prob_occupied
    (odds,) = doubled.odds
    assert odds.factor == pytest.approx(
        (new[2] / new[1]) / (exact[2] / exact[1]), abs=8 * odds.error
    )


def test_a_part_of_the_data_is_chosen_as_a_cards_subsample_is() -> None:
    rows = Rows.of(np.random.default_rng(1).normal(size=300).round(1))
    found = gc.sensitivity(card_of(1, draws=200), rows=rows, subsample=20)
    assert found.sample == rows.random_part(20, found.provenance.card.run.seed).sample
    assert found.sample.origin.source.startswith("20 of 300 values of ")
    assert found.provenance.card.data.subsample == 20
    # Components are those of all the data.
    assert found.reference.params.mu == pytest.approx(rows.sample.mean)
    with pytest.raises(InputError, match="is more than there are"):
        gc.sensitivity(card_of(1), rows=rows, subsample=301)


def test_the_page_says_what_was_found(few: Sensitivity, tmp_path: Path) -> None:
    text = write_sensitivity(few, tmp_path / "index.html").read_text(encoding="utf-8")
    heading, sentence = conclusion(few)
    assert heading in text
    assert sentence.replace("'", "&#39;") in text
    assert not re.findall(r"https?://|@import", text)
    targets = set(re.findall(r'href="#([^"]+)"', text))
    assert targets <= set(re.findall(r' id="([^"]+)"', text))
    assert all(f"<code>{field}</code>" in text for field in few.fields)


def test_where_nothing_matters_the_page_says_so() -> None:
    rng = np.random.default_rng(2)
    rows = Rows.of(rng.normal(size=1000).round(2))
    found = gc.sensitivity(card_of(1, gc.Priors(), draws=2000), rows=rows)
    heading, sentence = conclusion(found)
    assert heading == "No prior matters here"
    assert "posterior standard deviations" in sentence
    assert {found.finding(field) for field in found.fields} == {"does not matter"}


class TestCommand:
    @pytest.fixture
    def card(self, tmp_path: Path) -> Path:
        (tmp_path / "small.csv").write_text("x\n" + "\n".join(map(str, Y)) + "\n")
        lines = [f"{key} = {value}" for key, value in PRIORS.to_dict().items()]
        path = tmp_path / "small.toml"
        path.write_text(
            'title = "Small"\n[data]\npath = "small.csv"\n[mixture]\ncomponents = 1\n[priors]\n'
            + "\n".join(lines)
            + "\n[engines.gibbs]\ndraws = 200\nwarmup = 50\n"
        )
        return path

    def run(self, *arguments: object) -> Result:
        return CliRunner().invoke(app, ["sensitivity", *map(str, arguments)])

    def test_writes_page_and_json_and_says_what_was_found_first(self, card: Path) -> None:
        out = card.parent / "out"
        result = self.run(card, "--out", out, "--factor", 10)
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith(("SOME PRIORS MATTER", "NOT SETTLED", "NO PRIOR"))
        assert "var_scale times 10" in result.stdout
        assert (out / "index.html").is_file()
        assert (out / "var_scale-times-10" / "fits" / "gibbs.nc").is_file()
        content = json.loads((out / "sensitivity.json").read_text())
        assert content["factor"] == 10.0

    @pytest.mark.parametrize(
        ("option", "value", "said"),
        [("--factor", 1, "must be above 1"), ("--subsample", 7, "is more than there are")],
    )
    def test_bad_input_is_one_line(self, card: Path, option: str, value: int, said: str) -> None:
        result = self.run(card, "--out", card.parent / "out", option, value)
        assert result.exit_code == 2
        assert said in result.stderr
        assert "Traceback" not in result.output

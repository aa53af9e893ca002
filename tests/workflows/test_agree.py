"""From files of draws to a verdict: names, models, the command line and the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import gmmcompare as gc
from gmmcompare.cli import app
from gmmcompare.comparison.agreement import PairVerdict
from gmmcompare.runtime.errors import InputError
from gmmcompare.validation.checks.on_data import check_of_pair
from gmmcompare.workflows.agree import LOG_JOINT, agree_files
from tests.validation import models


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    out = []
    for i, name in enumerate(("one", "two", "moved")):
        rng = np.random.default_rng(i)
        shift = 0.5 * (name == "moved")
        np.savez(
            tmp_path / f"{name}.npz",
            mu=rng.normal(shift, 1.0, (4, 2500)),
            w=rng.normal(size=(4, 2500, 2)),
        )
        out.append(str(tmp_path / f"{name}.npz"))
    return out


def test_files_agree_or_not_and_exit_codes_say_so(files: list[str], tmp_path: Path) -> None:
    one, two, moved = files
    run = CliRunner()
    agreed = run.invoke(app, ["agree", one, two, "--out", str(tmp_path / "out")])
    assert agreed.exit_code == 0
    assert agreed.stdout.startswith("AGREE: one and two agree")
    content = json.loads((tmp_path / "out" / "agreement.json").read_text(encoding="utf-8"))
    assert content["verdict"] == "agree"
    assert content["engines"]["one"]["draws"] == 2500
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "<h1>one and two</h1>" in page
    assert "src=" not in page
    other = run.invoke(app, ["agree", one, f"mine={moved}", "--json"])
    assert other.exit_code == 1
    assert json.loads(other.stdout)["pairs"][0]["b"] == "mine"
    assert run.invoke(app, ["agree", one, moved, "--vars", "w"]).exit_code == 0


def test_bad_files_are_told_in_one_line(files: list[str], tmp_path: Path) -> None:
    np.savez(tmp_path / "nan.npz", mu=np.full((4, 100), np.nan))
    np.savez(tmp_path / "turned.npz", mu=np.zeros((500, 4)))
    np.savez(tmp_path / "mixed.npz", mu=np.zeros((4, 9)), x=np.zeros((9, 4)))
    for other, says in (
        (str(tmp_path / "none.nc"), "no such file"),
        (str(tmp_path / "nan.npz"), "mu is NaN in chain 1, draw 1"),
        (str(tmp_path / "turned.npz"), "look exchanged"),
        (str(tmp_path / "mixed.npz"), "do not share their first two axes"),
    ):
        with pytest.raises(InputError, match=says):
            agree_files([files[0], other])
    assert CliRunner().invoke(app, ["agree", files[0]]).exit_code == 2


def test_a_model_adds_its_log_joint_density_and_its_symmetries() -> None:
    rng = np.random.default_rng(1)
    y = models.model.draw_data({"beta": np.zeros((1, 2)), "s2": np.ones(1)}, rng)[0]
    draws: dict[str, dict[str, Any]] = {}
    for name in ("a", "b"):
        run = models.runs(y, 2500, 200, 4, rng)
        draws[name] = run
    found = gc.agree(draws, model=models.model, data=y)
    assert found.verdict == "agree"
    assert LOG_JOINT in found.draws["a"].densities
    wild = {**draws["b"], "s2": -draws["b"]["s2"]}
    with pytest.raises(InputError, match="draws have no density under the model"):
        gc.agree({"a": draws["a"], "b": wild}, model=models.model, data=y)


def test_trees_of_arviz_and_arrays_serve_as_well() -> None:
    from arviz_base import from_dict

    rng = np.random.default_rng(2)
    trees = [from_dict({"posterior": {"x": rng.normal(size=(4, 2500))}}) for _ in range(2)]
    assert gc.agree(trees).verdict == "agree"
    with pytest.raises(InputError, match="is int; give a file"):
        gc.agree([trees[0], 3])


@pytest.mark.slow
def test_nuts_on_a_pymc_model_beside_a_sampler_of_ones_own(tmp_path: Path) -> None:
    """A correct kernel is called wrong with probability below 1 in 1,000."""
    from gmmcompare.workflows.compare_model import compare_model, model_settings
    from tests import pymc_models

    nuts, custom = model_settings(["engines.nuts.draws=2500", "engines.custom.draws=4000"])
    model = pymc_models.MODELS["regression"]()
    own = {"mine": pymc_models.SWEEPS["regression"]}
    found = compare_model(model, own, {}, nuts=nuts, custom=custom, folder=tmp_path)
    assert found.agreement.verdict == "agree"
    assert LOG_JOINT in found.agreement.draws["nuts"].densities
    assert (tmp_path / "draws" / "nuts.npz").is_file()
    wrong = {"mine": pymc_models.WRONG_SWEEPS["regression"]}
    again = compare_model(
        model, wrong, {"kept": tmp_path / "draws" / "nuts.npz"}, nuts=nuts, custom=custom
    )
    assert again.agreement.verdict == "disagree"
    assert again.agreement.suspects == ("mine",)


@pytest.mark.slow
def test_validate_compares_whole_chains_with_nuts_where_that_is_asked_for(tmp_path: Path) -> None:
    """A correct kernel fails with probability below 1 in 1,000."""
    from tests import pymc_models

    model = pymc_models.MODELS["regression"]()
    found = gc.validate(
        pymc_models.SWEEPS["regression"], model=model, nuts=True, quick=True, out=tmp_path
    )
    (check,) = [c for c in found.checks if c.name == "nuts"]
    assert check.verdict == "passed"
    assert check.data["n"] == np.size(gc.Model.from_pymc(model).observed)
    assert '"nuts"' in (tmp_path / "validation.json").read_text()


def test_nuts_needs_a_pymc_model_before_anything_is_run() -> None:
    with pytest.raises(InputError, match="NUTS needs a PyMC model"):
        gc.validate(models.sweep, model=models.model, nuts=True)
    with pytest.raises(InputError, match="give a PyMC model by --model, or a --card"):
        gc.validate("fault:none", nuts=True)


@pytest.mark.parametrize(
    ("pair", "verdict"),
    [("agree", "passed"), ("disagree", "failed"), ("inconclusive", "inconclusive")],
)
def test_what_a_comparison_with_nuts_means_for_a_sampler(pair: Any, verdict: str) -> None:
    found = check_of_pair(
        PairVerdict("nuts", "yours", pair, ()), "y", 30, replicates=4, seconds=1.0
    )
    assert found.verdict == verdict
    assert "30 observations" in found.summary


def test_settings_without_a_card_are_those_of_engines() -> None:
    from gmmcompare.workflows.compare_model import compare_model, model_settings

    assert model_settings(["engines.nuts.draws=10"])[0].draws == 10
    with pytest.raises(InputError, match="only settings of engines"):
        model_settings(["mixture.components=3"])
    with pytest.raises(InputError, match="unknown key"):
        model_settings(["engines.nuts.drows=3"])
    with pytest.raises(InputError, match="NUTS needs a PyMC model"):
        compare_model(models.model, {"a": models.sweep}, {})
    none = CliRunner().invoke(app, ["compare"])
    assert none.exit_code == 2

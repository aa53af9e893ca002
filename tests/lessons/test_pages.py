"""Pages and notebooks: written, self-contained, true to what the engines say now."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.lessons import (
    LESSONS,
    SHORT_TITLES,
    broken,
    ellipses,
    em,
    gibbs,
    labels,
    number,
    nuts,
    pages,
    priors,
    shrinkage,
    write_lessons,
)
from gmmcompare.lessons.cards import card_with_data
from gmmcompare.lessons.notebook import notebook_of
from gmmcompare.lessons.two_means import leapfrog, nuts_draw, start_of
from gmmcompare.model.card import GibbsSettings
from gmmcompare.model.mixture import log_likelihood, responsibilities
from gmmcompare.runtime.errors import InputError

Page = Callable[[str], str]
Embedded = Callable[[str], Any]
LIMIT = 3_000_000


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two cheap lessons and their notebooks."""
    folder = tmp_path_factory.mktemp("lessons")
    write_lessons(["em", "gibbs"], folder, notebook=True)
    return folder


@pytest.mark.slow
def test_pages_and_notebooks_are_written(written: Path) -> None:
    assert {p.name for p in written.iterdir() if p.is_file()} == {
        "em.html", "em.ipynb", "gibbs.html", "gibbs.ipynb",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["em", "gibbs"])
def test_committed_pages_are_what_the_engines_say_now(
    written: Path, embedded: Embedded, name: str
) -> None:
    text = (written / f"{name}.html").read_text(encoding="utf-8")
    found = re.search(r'id="data">(.*?)</script>', text)
    assert found
    now, then = json.loads(found[1]), embedded(name)
    assert now.pop("version") == gc.__version__
    assert_alike(now, without(then, "version"), name)


# The others take minutes: of these, what takes seconds is made again. Every engine and every
# kernel behind them is among it but PyMC's NUTS, whose draws test_claims holds against Gibbs.


def test_the_page_on_labels_is_what_gibbs_and_em_say_now(embedded: Embedded) -> None:
    then = embedded("labels")
    now = pages.plain(labels.crossing_groups())
    assert_alike(now, then["crossing"], "crossing")
    now = pages.plain(labels.where_it_should_be(labels.trap_problem()))
    assert now.keys() == then["trap"].keys() - {"chains", "free", "silent", "pair"}
    assert_alike(now, {key: then["trap"][key] for key in now}, "trap")


def test_the_page_on_nuts_is_what_both_routes_are_now(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but what comes of thousands of draws, and the race."""
    monkeypatch.setattr(nuts, "DRAWS", 20)
    monkeypatch.setattr(nuts, "RACES", ())
    now, then = pages.plain(nuts.compute(lambda fraction: None)), embedded("nuts")
    of_draws = ("nuts", "gibbs", "ess", "crossing", "draws")
    exact, exact_then = (without(data["marginal"], *of_draws) for data in (now, then))
    for key in ("mean", "swapped"):
        exact[key], exact_then[key] = exact[key]["exact"], exact_then[key]["exact"]
    assert_alike(exact, exact_then, "marginal")
    rest = ("marginal", "race", "version")
    assert_alike(without(now, *rest), without(then, *rest), "nuts")


def test_the_race_is_that_of_the_cards(embedded: Embedded) -> None:
    races = embedded("nuts")["race"]
    settings = []
    for name, card, changes in nuts.RACES:
        read = gc.load_card(card, changes)
        engines = {"gibbs": read.engines.gibbs, "nuts": read.engines.nuts}
        draws = {engine: found.chains * found.draws for engine, found in engines.items()}
        n = card_with_data(card, *changes)[1].n
        settings.append({"name": name, "n": n, "K": read.K, **draws})
    assert settings == [
        {**race, **{engine: race[engine]["draws"] for engine in ("gibbs", "nuts")}}
        for race in races
    ]


@pytest.mark.slow
def test_the_page_on_faults_is_what_they_do_now(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first round on small data; the large data take 10,000 sweeps of the same kernels."""
    monkeypatch.setattr(broken, "ROUNDS", 1)
    monkeypatch.setattr(broken, "SWEEPS", 8)
    monkeypatch.setattr(broken, "WARMUP", 0)
    monkeypatch.setattr(broken, "REFERENCE", GibbsSettings(chains=4, warmup=0, draws=8))
    now, then = pages.plain(broken.compute(lambda fraction: None)), embedded("broken")
    rest = ("faults", "rounds", "version")
    assert_alike(without(now, *rest), without(then, *rest), "broken")
    for a, b in zip(now["faults"], then["faults"], strict=True):
        where = a["name"]
        assert_alike(without(a, "large", "small"), without(b, "large", "small"), where)
        assert_alike(a["small"]["log10_wealth"], b["small"]["log10_wealth"][:2], where)
        if a["small"]["caught_at"] is not None:
            assert a["small"]["caught_at"] == b["small"]["caught_at"]


def test_the_page_on_priors_is_what_the_exact_posterior_says_now(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ends of the slider and the best prior, predictive densities at one point in twenty."""
    then = embedded("priors")
    best = int(np.argmin([row["prob_empty"] for row in then["rows"]]))
    chosen, every = [0, best, len(then["rows"]) - 1], slice(None, None, 20)
    monkeypatch.setattr(priors, "EPSILONS", priors.EPSILONS[chosen])
    monkeypatch.setattr(priors, "X", priors.X[every])
    now = pages.plain(priors.compute(lambda fraction: None))
    then["rows"] = [then["rows"][i] for i in chosen]
    for part, key in ((then, "x"), *((row, "predictive") for row in then["rows"])):
        part[key] = part[key][every]
    assert_alike(now, without(then, "version"), "priors")


def test_the_page_on_shrinkage_is_what_em_says_now(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without errors, and of the size that the data were made with."""
    then = embedded("shrinkage")
    chosen = [0, then["at_truth"]]
    monkeypatch.setattr(shrinkage, "SIZES", shrinkage.SIZES[chosen])
    monkeypatch.setattr(shrinkage, "X", shrinkage.X[::20])
    now = pages.plain(shrinkage.compute(lambda fraction: None))
    then["rows"] = [then["rows"][i] for i in chosen]
    then["x"] = then["x"][::20]
    for row in then["rows"]:
        row["measured"] = row["measured"][::20]
        row["parts"] = [part[::20] for part in row["parts"]]
    assert_alike(without(now, "at_truth"), without(then, "version", "at_truth"), "shrinkage")


def test_the_page_on_ellipses_is_what_em_and_gibbs_say_now(embedded: Embedded) -> None:
    now = pages.plain(ellipses.compute(lambda fraction: None))
    assert_alike(now, without(embedded("ellipses"), "version"), "ellipses")


def test_the_page_on_the_number_is_what_exact_sums_say_now(
    embedded: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of the eight priors, predictive densities at one point in twenty."""
    then, y = embedded("number"), number.data()
    monkeypatch.setattr(number, "X", number.X[::20])
    assert_alike(pages.plain(y), then["y"], "y")
    for belief, row in zip(number.BELIEFS[4:6], then["rows"][4:6], strict=True):
        row["predictive"] = row["predictive"][::20]
        assert_alike(pages.plain(number.answer(y, belief)), row, belief.label)
    assert [row["label"] for row in then["rows"]] == [b.label for b in number.BELIEFS]


def test_the_growth_of_one_group_is_what_exact_sums_say_now(embedded: Embedded) -> None:
    then = embedded("number")["growth"]
    n = max(number.EXACT_SIZES + number.SAMPLED_SIZES)
    y = np.random.default_rng(number.ONE_SEED).normal(size=(number.DATA_SETS, n))
    now = pages.plain(np.mean([number.exact_one(values[:5]) for values in y], axis=0))
    assert_alike(now, [then["process"][4], then["mixture"][4]], "five values")


def without(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in keys}


def assert_alike(a: Any, b: Any, where: str) -> None:
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            assert_alike(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, list):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_alike(x, y, f"{where}[{i}]")
    elif isinstance(a, float) or isinstance(b, float):
        assert a == pytest.approx(b, rel=1e-4, abs=1e-4), where
    else:
        assert a == b, where


@pytest.mark.parametrize("name", LESSONS)
def test_a_page_is_complete_small_and_self_contained(page: Page, name: str) -> None:
    text = page(name)
    assert len(text.encode()) < LIMIT
    assert LESSONS[name] in text
    assert text.count("<details>") == 3
    assert "<math" in text
    assert f"gmmcompare lesson {name}" in text
    assert not re.search(r'(src|href)="(https?:)?//', text)
    assert "NaN" not in text.split('id="data">')[1].split("</script>")[0]


@pytest.mark.parametrize("name", LESSONS)
def test_a_page_is_what_its_template_makes_of_its_data(
    page: Page, embedded: Callable[[str], Any], name: str
) -> None:
    """A committed page that was not made again after a change of template or script is stale."""
    assert pages.render(name, pages.lesson_module(name), embedded(name)) == page(name)


def test_an_unknown_lesson_is_named_with_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gibs: no such lesson \(did you mean 'gibbs'\?\)"):
        write_lessons(["em", "gibs"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_lessons(["em"], tmp_path / "file")


def test_computed_data_are_kept_and_damaged_ones_made_again(tmp_path: Path) -> None:
    write_lessons(["em"], tmp_path)
    first = (tmp_path / "em.html").read_bytes()
    (kept,) = (tmp_path / ".data").iterdir()
    kept.write_text("{")
    write_lessons(["em"], tmp_path)
    assert (tmp_path / "em.html").read_bytes() == first
    data = json.loads(kept.read_text())
    kept.write_text(json.dumps({**data, "source": "from the kept data"}))
    write_lessons(["em"], tmp_path)
    assert "from the kept data" in (tmp_path / "em.html").read_text()


def test_numbers_are_rounded_and_infinite_ones_become_null() -> None:
    assert pages.plain({"a": np.array([1 / 3, np.inf]), "b": (np.int64(3), 2.0, True)}) == {
        "a": [0.3333333, None],
        "b": [3, 2, True],
    }


@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_has_a_valid_notebook(name: str) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    notebook = notebook_of(pages._text(f"notebooks/{name}.py"))
    nbformat.validate(nbformat.from_dict(notebook))
    kinds = [cell["cell_type"] for cell in notebook["cells"]]
    assert kinds[0] == "markdown"
    assert kinds.count("code") >= 2
    assert any("plt." in "".join(cell["source"]) for cell in notebook["cells"])  # it draws
    compile("\n".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"),
            name, "exec")  # fmt: skip


def test_the_em_notebook_runs_and_says_that_the_equal_start_is_stuck(written: Path) -> None:
    notebook = json.loads((written / "em.ipynb").read_text(encoding="utf-8"))
    out = io.StringIO()
    scope: dict[str, Any] = {"__name__": "notebook"}
    with contextlib.redirect_stdout(out):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                exec("".join(cell["source"]), scope)
    said = out.getvalue()
    assert said.count("-240.3379") >= 4  # the log-likelihood where EM stands still
    assert "equal" in said.splitlines()[-1]


def test_em_paths_are_those_of_plain_responsibilities() -> None:
    """The compiled step equals the formulas on the page, written with `mixture`."""
    model = em.problem()
    y = model.sample.y
    for start in em.start_points(model).values():
        new, height = em.em_step(model.sample, start)
        r = responsibilities(y, start)
        n_k = r.sum(axis=0)
        mu = (r * y[:, None]).sum(axis=0) / n_k
        sigma = np.sqrt((r * (y[:, None] - mu) ** 2).sum(axis=0) / n_k)
        assert height == pytest.approx(float(log_likelihood(model.sample, start)), rel=1e-12)
        np.testing.assert_allclose(new.w, n_k / y.size, rtol=1e-9)
        np.testing.assert_allclose(new.mu, mu, rtol=1e-9)
        np.testing.assert_allclose(new.sigma, sigma, rtol=1e-7)


def test_the_engine_calls_the_equal_start_by_its_name() -> None:
    card = gc.load_card(em.CARD, em.OVERRIDES)
    stuck = gc.fit(card, engine="em", start="lecture")
    assert stuck.status != "ok"
    path = em.path_from(em.start_points(em.problem())["equal"], em.problem().sample)
    assert float(stuck.stat("log_lik").item()) == pytest.approx(float(path["log_lik"][-1]))


def test_the_gradient_is_that_of_the_density() -> None:
    posterior = _two_means()
    step = 1e-5
    for mu in (np.array([-1.0, 1.5]), np.array([0.3, 0.2])):
        numeric = [
            (posterior.log_density(mu + d) - posterior.log_density(mu - d)) / (2 * step)
            for d in step * np.eye(2)
        ]
        height, slope = posterior.with_gradient(mu)
        assert height == pytest.approx(float(posterior.log_density(mu)))
        np.testing.assert_allclose(slope, numeric, rtol=1e-6, atol=1e-6)


def test_a_leapfrog_can_be_run_backwards() -> None:
    posterior = _two_means()
    here = start_of(posterior, np.array([-1.0, 1.0]), np.array([0.4, -0.7]))
    there = leapfrog(posterior, leapfrog(posterior, here, 0.1), 0.1)
    back = leapfrog(posterior, leapfrog(posterior, there, -0.1), -0.1)
    np.testing.assert_allclose(back.q, here.q, atol=1e-12)
    np.testing.assert_allclose(back.p, here.p, atol=1e-12)


def test_a_trajectory_keeps_what_it_chose_from() -> None:
    posterior, rng = _two_means(), np.random.default_rng(1)
    parts = []
    for _ in range(20):
        seen = nuts_draw(posterior, np.array([0.0, 1.0]), 0.1, rng)
        assert len(seen.points) == len(seen.forward) == len(seen.energies)
        assert 0 <= seen.chosen < seen.kept  # points that are left out come last
        assert seen.kept & (seen.kept - 1) == 0  # a power of two
        parts.append(len(seen.points) / seen.kept)
    # All, or all but a last doubling that turned round within itself: both happen.
    assert set(parts) == {1.0, 2.0}


def _two_means() -> Any:
    return nuts.model()


def test_a_group_goes_by_its_mean() -> None:
    where = np.array([9.71, 23.28])
    assert gibbs.in_words("sigma[1]", where) == "sd of the group at 9.7"
    assert gibbs.in_words("w[2]", where) == "weight of the group at 23.3"
    assert gibbs.in_words("log_lik", where) == "log-likelihood"


def test_every_lesson_has_a_short_title() -> None:
    assert list(SHORT_TITLES) == list(LESSONS)


def test_a_speed_ratio_is_rounded() -> None:
    assert [pages.times(v) for v in (0.42, 1.44, 5.6, 34.0)] == ["0.4", "1.4", "6", "30"]


def test_autocorrelation_of_a_known_process() -> None:
    """AR(1) with coefficient 0.5; six standard errors at lag 1 (false alarm below 1e-8)."""
    rng, n = np.random.default_rng(3), 40_000
    x = np.zeros((2, n))
    for i in range(1, n):
        x[:, i] = 0.5 * x[:, i - 1] + rng.standard_normal(2)
    found = gibbs.autocorrelation(x)
    assert found[0] == 1.0
    assert abs(found[1] - 0.5) < 6 * (0.75 / (2 * n)) ** 0.5

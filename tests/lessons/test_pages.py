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
from gmmcompare.lessons import LESSONS, SHORT_TITLES, em, gibbs, pages, write_lessons
from gmmcompare.lessons.notebook import notebook_of
from gmmcompare.lessons.two_means import leapfrog, nuts_draw, start_of
from gmmcompare.model.mixture import log_likelihood, responsibilities
from gmmcompare.runtime.errors import InputError

Page = Callable[[str], str]
LIMIT = 3_000_000


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two cheap lessons and their notebooks."""
    folder = tmp_path_factory.mktemp("lessons")
    write_lessons(["em", "gibbs"], folder, notebook=True)
    return folder


def test_pages_and_notebooks_are_written(written: Path) -> None:
    assert {p.name for p in written.iterdir() if p.is_file()} == {
        "em.html", "em.ipynb", "gibbs.html", "gibbs.ipynb",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["em", "gibbs"])
def test_committed_pages_are_what_the_engines_say_now(
    written: Path, embedded: Callable[[str], Any], name: str
) -> None:
    text = (written / f"{name}.html").read_text(encoding="utf-8")
    found = re.search(r'id="data">(.*?)</script>', text)
    assert found
    now, then = json.loads(found[1]), embedded(name)
    assert now.pop("version") == gc.__version__
    then = {key: value for key, value in then.items() if key != "version"}
    assert_alike(now, then, name)


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
    for _ in range(20):
        seen = nuts_draw(posterior, np.array([0.0, 1.0]), 0.1, rng)
        assert len(seen.points) == len(seen.forward) == len(seen.energies)
        assert 0 <= seen.chosen < len(seen.points)
        assert seen.kept & (seen.kept - 1) == 0  # a power of two
        assert seen.kept in (len(seen.points), (len(seen.points) + 1) // 2)


def _two_means() -> Any:
    from gmmcompare.lessons import nuts

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

"""Models on the shelf are what their files say, and their samplers agree with the exact answers."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gmmcompare.model.points import mapped, one_of
from gmmcompare.model.protocol import check_model
from gmmcompare.validation.run import validate

SHELF = Path(__file__).parents[2] / "examples" / "shelf"
FILES = sorted(SHELF.glob("*.py"))
SWEEPS, BATCHES = 8000, 40
every = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def name_of(path: Path) -> str:
    """Return what the model in a file is called."""
    return "".join(word.capitalize() for word in path.stem.split("_"))


def loaded(path: Path) -> tuple[Any, Any]:
    """Return the model and its sampler."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name_of(path))(), module.sweep


def test_every_file_is_in_the_readme_and_there_are_eight_at_least() -> None:
    text = (SHELF / "README.md").read_text(encoding="utf-8")
    assert len(FILES) >= 8
    assert [path.name for path in FILES if f"| `{path.name}` |" not in text] == []


@every
def test_a_long_chain_has_the_exact_posterior_means(path: Path) -> None:
    # Student's t with 39 degrees of freedom beyond 7: 2e-8 each, for about 30 scalars.
    model, sweep = loaded(path)
    check_model(model, path.stem)
    rng = np.random.default_rng(1)
    theta = model.draw_prior(1, rng)
    y = one_of(model.draw_data(theta, rng), 0)
    at = mapped(lambda a: np.asarray(a)[()], one_of(theta, 0))
    exact = model.exact(y)
    chain: dict[str, list[Any]] = {name: [] for name in exact}
    for _ in range(SWEEPS):
        at = sweep(at, y, rng)
        for name, values in chain.items():
            values.append(at[name])
    for name, values in chain.items():
        means = np.reshape(np.array(values, dtype=float), (BATCHES, SWEEPS // BATCHES, -1)).mean(1)
        error = means.std(axis=0, ddof=1) / BATCHES**0.5
        assert (np.abs(means.mean(axis=0) - np.ravel(exact[name])) < 7 * error).all(), name


@pytest.mark.slow
@every
def test_a_correct_sampler_passes(path: Path) -> None:
    # False-positive rate 1e-5 each; reports/shelf.md has more seeds.
    found = validate(f"{path}:sweep", model=f"{path}:{name_of(path)}", quick=True, jobs=1)
    assert found.verdict == "passed", str(found)

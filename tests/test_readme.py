"""The README's code runs as it stands there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def block(containing: str) -> str:
    return next(b for b in BLOCKS if containing in b)


def test_own_sampler_has_ten_lines_and_agrees_with_the_plain_one() -> None:
    """Fed the same random stream it cannot equal ours draw for draw, but its moments do.

    40 chains' means against ours, z below 6: false alarm below 1e-7 for six means.
    """
    import numpy as np

    from gmmcompare.engines.gibbs.plain import sweep as plain
    from gmmcompare.model.params import Params
    from gmmcompare.model.priors import Priors

    code = block("def sweep(w, mu, sigma")
    (sweep,) = (node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef))
    body = code.splitlines()[sweep.body[0].lineno - 1 : sweep.end_lineno]
    assert len([line for line in body if line.strip()]) == 10
    namespace: dict[str, object] = {}
    exec(code, namespace)
    y = np.random.default_rng(1).normal([-2.0, 2.0], 0.6, (20, 2)).ravel()
    priors = Priors(2.0, 0.5, 1.5, 3.0, 1.0)

    def long_run(sweep, seed):  # type: ignore[no-untyped-def]
        rng, point = np.random.default_rng(seed), Params.of([0.5, 0.5], [-2, 2], [1, 1])
        kept = []
        for i in range(2200):
            point = sweep(*point, y, priors, rng)
            if i >= 200:
                kept.append(np.concatenate(point))
        return np.array(kept).reshape(40, 50, 6).mean(axis=1)

    ours, theirs = long_run(plain, 1), long_run(namespace["sweep"], 2)
    se = np.sqrt(ours.var(0, ddof=1) / 40 + theirs.var(0, ddof=1) / 40)
    assert np.all(np.abs(ours.mean(0) - theirs.mean(0)) < 6 * se)


@pytest.mark.slow
def test_python_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(block("import gmmcompare as gc"), {})
    assert capsys.readouterr().out.startswith("agree")
    assert (tmp_path / "galaxies.html").stat().st_size > 10_000


@pytest.mark.slow
def test_a_model_and_its_sampler_have_a_dozen_lines_each_and_pass(tmp_path: Path) -> None:
    """A correct kernel fails with probability below 2e-5."""
    from gmmcompare.validation.run import validate

    code = block("def model()")
    functions = [n for n in ast.parse(code).body if isinstance(n, ast.FunctionDef)]
    assert all((f.end_lineno or 0) - f.lineno < 12 for f in functions)
    path = tmp_path / "regression.py"
    path.write_text(code, encoding="utf-8")
    found = validate(f"{path}:sweep", model=f"{path}:model", quick=True)
    assert found.verdict == "passed"

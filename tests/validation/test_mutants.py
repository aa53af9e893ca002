"""Mutants of a source: what is changed, what is not, and which a validation catches."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from gmmcompare.runtime.errors import InputError
from gmmcompare.validation.mutants import mutants_of
from gmmcompare.validation.run import validate
from tests.validation import models

SOURCE = '''
import numpy as np

def scale(y, mu):
    return 2.0 + ((y - mu) ** 2).sum() / 2

def sweep(theta, y, rng):
    """Half a sweep."""
    mu = rng.normal(y.mean(), np.sqrt(theta["s2"] / len(y)))
    s2 = scale(y, mu) / rng.gamma(3 + y[0:2].size)
    if s2 > 1e300:
        s2 = 1.0
    return {"mu": mu, "s2": s2}

def unused(x):
    return x / 3
'''


def changes() -> dict[str, str]:
    return {m.change: f"{m.before} -> {m.after}" for m in mutants_of(SOURCE, "sweep", "f.py")}


def test_every_mutant_is_python_and_differs_in_one_place() -> None:
    found = mutants_of(SOURCE, "sweep", "f.py")
    assert len({m.source for m in found}) == len(found) > 15
    for m in found:
        ast.parse(m.source)
        assert m.source != SOURCE
        assert 4 <= m.line <= 14


def test_the_classic_mistakes_are_among_them() -> None:
    found = changes()
    assert found["/ 2 is dropped"] == "((y - mu) ** 2).sum() / 2 -> ((y - mu) ** 2).sum()"
    assert "the root is dropped" in found
    assert "times for divided by" in found
    assert "normal's second argument" in found
    assert "compared by <" in found
    assert any("is left out" in change for change in found)


def test_what_is_called_is_changed_and_what_is_not_is_left_alone() -> None:
    found = mutants_of(SOURCE, "sweep", "f.py")
    assert any(m.line == 5 for m in found)
    assert not any("x / 3" in m.before for m in found)
    assert not any("0:2" in m.before and m.after != m.before for m in found if m.line == 0)


def test_old_values_are_used_in_turn() -> None:
    stale = [m for m in mutants_of(SOURCE, "sweep", "f.py") if "old value" in m.change]
    assert any('theta["s2"]' in m.source.split("return {")[-1] for m in stale)
    mixture = "def sweep(w, mu, sigma, y, priors, rng):\n    mu = mu + 1\n    return w, mu, sigma\n"
    (one,) = [m for m in mutants_of(mixture, "sweep", "f.py") if "old value" in m.change]
    assert "_before_mu = mu\n" in one.source
    assert "return w, (_before_mu), sigma" in one.source
    assert one.line == 3


@pytest.mark.parametrize("source", ["x = 1\n", "class A:\n    def sweep(self): ...\n"])
def test_a_function_that_is_not_there_is_explained(source: str) -> None:
    with pytest.raises(InputError, match="not defined at the top level"):
        mutants_of(source, "sweep", "f.py")


def test_without_a_source_nothing_is_validated() -> None:
    with pytest.raises(InputError, match="mutants are made of a source file"):
        validate("fault:rate-for-scale", mutants=True)


@pytest.mark.slow
def test_mutants_are_caught_and_those_that_change_nothing_do_not_count(tmp_path: Path) -> None:
    """Each correct kernel fails with probability below 2e-5; two of the mutants are equivalent."""
    path = tmp_path / "own.py"
    path.write_text(
        "import numpy as np\n"
        "from tests.validation.models import X, beta_given\n"
        "def sweep(theta, y, rng):\n"
        "    beta = beta_given(theta['s2'], y, rng)\n"
        "    rate = 2.0 + ((y - X @ beta) ** 2).sum() / 2.0\n"
        "    if rate < 0.0:\n"
        "        raise ValueError\n"
        "    return {'beta': beta, 's2': rate / rng.gamma(9.0)}\n"
    )
    found = validate(f"{path}:sweep", model=models.model, quick=True, jobs=2, mutants=True)
    check = found.checks[-1]
    assert check.name == "mutants"
    assert found.verdict == "passed"
    numbers = check.reasons[0].numbers
    assert numbers["caught"] == numbers["counted"] >= 8
    assert numbers["equivalent"] >= 1
    assert "mutants of its source would have been caught" in check.summary

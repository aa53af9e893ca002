"""Which arrays are w, mu and sigma, and whether they are in the units of the data."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from gmmcompare.engines.base import Draws, Problem, no_progress
from gmmcompare.engines.imported.engine import ImportedEngine
from gmmcompare.engines.imported.names import parsed_rename
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.errors import InputError

RNG = np.random.default_rng(1)
Y = np.concatenate([RNG.normal(10, 1, 30), RNG.normal(20, 2, 50)])
PRIORS = Priors(1, 15, 20, 2, 2)


def draws() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    return {
        "w": rng.dirichlet([300, 500], (4, 50)),
        "mu": rng.normal([10, 20], 0.2, (4, 50, 2)),
        "sigma": np.abs(rng.normal([1, 2], 0.1, (4, 50, 2))),
    }


def read(tmp_path: Path, rename: str = "", problem: Problem | None = None, **arrays) -> Draws:
    path = tmp_path / "draws.npz"
    np.savez(path, **arrays)
    engine = ImportedEngine("theirs", path, parsed_rename(rename) if rename else None)
    return engine.run(problem or Problem(Sample.of(Y), 2, PRIORS), 1, no_progress)


def under(w: str, mu: str, sigma: str, form=lambda s: s) -> dict[str, np.ndarray]:
    ours = draws()
    return {w: ours["w"], mu: ours["mu"], sigma: form(ours["sigma"])}


@pytest.mark.parametrize(
    ("arrays", "rename"),
    [
        (under("theta", "mu", "sigma2", np.square), "w=theta,sigma=sqrt(sigma2)"),
        (under("a", "b", "c"), "w=a,mu=b,sigma=c"),
        (under("a", "b", "c", lambda s: s**-2), " w = a , mu=b, sigma = 1/sqrt(c)"),
        (under("w", "mu", "log_s", np.log), "sigma=exp(log_s)"),
        (under("w", "mu", "h", lambda s: s**-2), "sigma=h**-0.5"),
        (under("w", "mu", "sigma", np.square), "sigma=sqrt(sigma)"),
    ],
)
def test_renamed(tmp_path: Path, arrays, rename: str) -> None:
    found = read(tmp_path, rename, **arrays)
    np.testing.assert_allclose(found.params.sigma, draws()["sigma"], rtol=1e-12)
    np.testing.assert_array_equal(found.params.w.round(12), draws()["w"].round(12))
    assert found.notes == ()


@pytest.mark.parametrize(
    ("arrays", "notes"),
    [
        (under("theta", "mu", "sigma"), "w is taken to be theta; if not, say so by --rename"),
        (under("pi", "mu", "sigma"), "w is taken to be pi; if"),
        (under("p", "means", "sds"), "w is taken to be p, mu is taken to be means, sigma is ta"),
        (under("weights", "mu", "sigma"), "w is taken to be weights"),
        (under("Pi", "mu", "sigma"), "w is taken to be Pi"),
        (
            under("w", "mu", "sigma2", np.square),
            "sigma is taken to be sqrt(sigma2) (sigma2 a variance); if not, say so by --rename",
        ),
        (under("w", "mu", "s2", np.square), "sigma is taken to be sqrt(s2) (s2 a variance)"),
        (
            under("w", "mu", "tau", lambda s: s**-2),
            "sigma is taken to be 1/sqrt(tau) (tau a precision); if not, say so by --rename",
        ),
    ],
)
def test_usual_names_are_known_and_said(tmp_path: Path, arrays, notes: str) -> None:
    found = read(tmp_path, **arrays)
    np.testing.assert_allclose(found.params.sigma, draws()["sigma"], rtol=1e-12)
    assert len(found.notes) == 1
    assert found.notes[0].startswith(notes)


@pytest.mark.parametrize(
    ("arrays", "rename", "said"),
    [
        (under("a", "mu", "b"), "", "draws have no w and no sigma; they have: a, mu, b; say which"),
        ({**draws(), "w": draws()["w"][..., 0]}, "", "w has shape (4, 50)"),
        (under("w", "mu", "x"), "sigma=sqrt(y)", "'sqrt(y)' is no array there and cannot be comp"),
        (under("w", "mu", "sd1"), "sigma=ds1", "(did you mean 'sd1'?); it has: w, mu, sd1"),
        (under("w", "mu", "s"), "sigma=s.tofile('x')", "cannot be computed"),
        (under("w", "mu", "s"), "sigma=@s", "cannot be computed"),
        (under("w", "mu", "s"), "sigma=s[0]", "cannot be computed"),
        (
            {**under("theta", "mu", "sigma"), "pi": draws()["w"]},
            "",
            "draws have no w; they have: theta, mu, sigma, pi",
        ),
    ],
)
def test_what_cannot_be_found(tmp_path: Path, arrays, rename: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        read(tmp_path, rename, **arrays)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["theta", "theta=w", "w=", "w=theta,sigma", "=theta", ""])
def test_what_is_no_rename(text: str) -> None:
    with pytest.raises(InputError, match="write OURS=THEIRS, as in w=theta,sigma=sqrt"):
        parsed_rename(text)


def test_a_comma_in_an_expression_is_no_end_of_it() -> None:
    assert parsed_rename("w=a,sigma=arctan2(b, c)") == {"w": "a", "sigma": "arctan2(b, c)"}


def test_other_names_are_other_fits(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **draws())
    plain, renamed = (
        ImportedEngine("x", tmp_path / "a.npz", r).settings for r in (None, {"w": "theta"})
    )
    assert plain != renamed
    assert set(plain) == {"draws_sha256"}


def test_one_component_needs_no_weight(tmp_path: Path) -> None:
    one = {name: draws()[name][..., 1:] for name in ("mu", "sigma")}
    for arrays in (one, {name: a[..., 0] for name, a in one.items()}):
        found = read(tmp_path, problem=Problem(Sample.of(Y[30:]), 1, PRIORS), **arrays)
        assert (found.params.w == 1).all()
        assert found.params.mu.shape == (4, 50, 1)


# Units


def moved(scale: float = 1.0, shift: float = 0.0) -> dict[str, np.ndarray]:
    d = draws()
    return {"w": d["w"], "mu": d["mu"] * scale + shift, "sigma": d["sigma"] * scale}


def logs(function, derivative) -> dict[str, np.ndarray]:
    d = draws()
    return {"w": d["w"], "mu": function(d["mu"]), "sigma": d["sigma"] * derivative(d["mu"])}


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (moved(1000), "but divided by 1,000 they would; other units or another transform?"),
        (moved(1 / 1000), "but multiplied by 1,000 they would"),
        (moved(1e6), "divided by 1,000,000"),
        (moved(100), "divided by 100 they"),
        (moved(1 / Y.std(), -Y.mean() / Y.std()), "but on the scale of standardised data they"),
        (logs(np.log, lambda m: 1 / m), "but as their exponentials they would"),
        (logs(np.log10, lambda m: 1 / (m * np.log(10))), "but as powers of 10 they would"),
        (logs(np.exp, np.exp), "but as their logarithms they would"),
    ],
)
def test_other_units_are_asked_about(tmp_path: Path, arrays, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        read(tmp_path, **arrays)
    assert "(the draws' mean is near " in str(caught.value)
    assert "\n" not in str(caught.value)
    remedy = re.search(r"If so, add --rename '(.*)'$", str(caught.value))
    if remedy:  # it is one
        found = read(tmp_path, remedy[1], **arrays)
        np.testing.assert_allclose(found.params.mu, draws()["mu"], rtol=1e-3)
    else:
        assert "--set data.transform=" in str(caught.value)


@pytest.mark.parametrize(
    "arrays",
    [
        pytest.param(moved(), id="right"),
        pytest.param(moved(1.5), id="half as large again"),
        pytest.param(moved(1, 3), id="shifted"),
        pytest.param({**draws(), "sigma": draws()["sigma"] ** 2}, id="variances"),
        pytest.param({**draws(), "sigma": draws()["sigma"] * 10}, id="sds ten times too large"),
        pytest.param({**draws(), "mu": draws()["mu"][..., ::-1]}, id="means exchanged"),
        pytest.param({**draws(), "w": draws()["w"][..., ::-1]}, id="weights exchanged"),
    ],
)
def test_wrong_draws_are_for_the_comparison_to_tell(tmp_path: Path, arrays) -> None:
    """A bug in a sampler is no question of units."""
    assert read(tmp_path, **arrays).params.mu.shape == (4, 50, 2)


def test_sds_thirty_times_too_large_are_a_mistake_and_no_unit(tmp_path: Path) -> None:
    """About a mean of zero they would fit a little better in hundredths."""
    centred = Problem(Sample.of(RNG.normal(0, 1, 80)), 1, PRIORS)
    arrays = {"mu": RNG.normal(0, 0.1, (4, 50, 1)), "sigma": RNG.normal(35, 1, (4, 50, 1))}
    assert read(tmp_path, problem=centred, **arrays).params.K == 1


def test_a_posterior_far_from_the_data_is_believed(tmp_path: Path) -> None:
    """Three observations, and a prior that knows better: no other units would fit both."""
    problem = Problem(Sample.of([1000.0, 1001.0, 1002.0]), 1, Priors(1, 0, 0.1, 200, 200))
    arrays = {
        "mu": RNG.normal(0.03, 0.1, (4, 50, 1)),
        "sigma": np.abs(RNG.normal(120.0, 4, (4, 50, 1))),
    }
    assert read(tmp_path, problem=problem, **arrays).params.K == 1

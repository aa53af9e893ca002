"""What counts as a model, and what is said of what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gmmcompare as gc
from gmmcompare.model.named import as_model, load_model
from gmmcompare.model.points import flat, joined, mapped, one_of, same, size_of
from gmmcompare.model.protocol import check_model, scalar_names
from gmmcompare.runtime.errors import InputError


class Coins:
    """p ~ U(0, 1), five tosses."""

    parameters = {"p": ()}  # noqa: RUF012

    def draw_prior(self, n: int, rng: np.random.Generator) -> dict[str, Any]:
        return {"p": rng.random(n)}

    def draw_data(self, theta: dict[str, Any], rng: np.random.Generator) -> Any:
        return rng.random((len(theta["p"]), 5)) < theta["p"][:, None]


def changed(**members: Any) -> Any:
    return type("Changed", (Coins,), members)()


def test_a_model_is_what_it_can_do() -> None:
    assert check_model(Coins(), "coins") is not None
    assert as_model(Coins, "coins").parameters == {"p": ()}
    assert as_model(lambda: Coins(), "coins").parameters == {"p": ()}


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (3, "is int without parameters and draw_prior and draw_data"),
        (changed(parameters=("p",)), "parameters must map names to shapes"),
        (changed(parameters={}), "parameters must map names to shapes"),
        (changed(parameters={"q": ()}), "draw_prior returns p; it must give q"),
        (changed(parameters={"p": (2,)}), r"draw_prior's p has shape \(3,\), expected \(3, 2\)"),
        (changed(draw_prior=lambda s, n, r: {"p": np.full(n, np.nan)}), "is not finite"),
        (changed(draw_prior=lambda s, n, r: 1 / 0), "draw_prior raised ZeroDivisionError"),
        (changed(draw_data=lambda s, t, r: 1.0), r"draw_data returns shape \(\) for 3 points"),
        (changed(log_prior=lambda s, t: 0.0), r"log_prior has shape \(\), expected \(3,\)"),
        (changed(log_prior=lambda s, t: t["p"] - np.inf), "log_prior is not finite"),
        (changed(log_likelihood=lambda s, t, y: y[:, 0] / 0), "log_likelihood is not finite"),
        (changed(symmetries=(("p",),)), r"symmetries name \(p\)"),
    ],
)
def test_what_is_wrong_with_a_model_is_told(model: Any, says: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(InputError, match=says):
        check_model(model, "mine")


def test_functions_of_one_point_make_a_model() -> None:
    model = gc.Model.from_functions(
        {"p": ()},
        lambda rng: {"p": rng.random()},
        lambda theta, rng: rng.random(5) < theta["p"],
        lambda theta: 0.0,
        lambda theta, y: float(np.log(np.where(y, theta["p"], 1.0 - theta["p"])).sum()),
    )
    check_model(model, "coins")
    rng = np.random.default_rng(1)
    theta = model.draw_prior(4, rng)
    y = model.draw_data(theta, rng)
    assert (theta["p"].shape, y.shape) == ((4,), (4, 5))
    heads = y.sum(axis=1)
    expected = heads * np.log(theta["p"]) + (5 - heads) * np.log1p(-theta["p"])
    np.testing.assert_allclose(model.log_likelihood(theta, y), expected)
    assert gc.Model.from_functions({"p": ()}, dict, dict).log_prior is None


def test_names_lead_to_models(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("from tests.model.test_protocol import Coins\ncoins = Coins()\n")
    assert load_model(f"{path}:coins").parameters == {"p": ()}
    with pytest.raises(InputError, match="no model"):
        load_model(f"{path}:coin")
    with pytest.raises(InputError, match="no such file"):
        load_model(f"{tmp_path}/other.py:coins")
    with pytest.raises(InputError, match="name the model as well"):
        load_model("mine")


def test_scalars_have_names() -> None:
    names = scalar_names({"tau": (), "mu": (2,), "S": (1, 2)})
    assert names == ("tau", "mu[0]", "mu[1]", "S[0,0]", "S[0,1]")


def test_trees_are_handled_alike_whatever_they_are() -> None:
    point = gc.Params(np.ones((3, 2)), np.zeros((3, 2)), np.ones((3, 2)))
    for tree in (np.arange(3.0), {"a": np.arange(3.0), "b": np.ones((3, 2))}, point):
        assert size_of(tree) == 3
        both = joined([tree, tree])
        assert type(both) is type(tree)
        assert size_of(both) == 6
        assert same(one_of(both, 0), one_of(both, 3))
        assert not same(mapped(lambda a: a + 1, tree), tree)
        assert len(flat(tree)) == 3


def test_the_mixture_has_the_density_of_its_draws() -> None:
    """Against `Priors.log_density`, by the change from the variance to the sd."""
    priors = gc.Priors(2.0, 0.5, 1.5, 3.0, 1.0)
    model = gc.MixtureModel(3, 7, priors)
    check_model(model, "mixture")
    theta = model.draw_prior(5, np.random.default_rng(1))
    expected = priors.log_density(gc.Params(**theta)) + np.log(2.0 * theta["sigma"]).sum(axis=1)
    np.testing.assert_allclose(model.log_prior(theta), expected)
    assert model.symmetries == (("w", "mu", "sigma"),)
    assert gc.MixtureModel(2, 3, gc.Priors(mean_loc=[0.0, 1.0])).symmetries == ()
    bad = {**theta, "sigma": -theta["sigma"]}
    assert (model.log_prior(bad) == -np.inf).all()

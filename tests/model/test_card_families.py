"""Cards of conjugate priors, and with known or shared parameters."""

from __future__ import annotations

import pytest

from gmmcompare import ConjugatePriors, Priors, RestrictedPriors, load_card
from gmmcompare.model.card import validated_card
from gmmcompare.runtime.errors import InputError


def restricted(*overrides: str):
    return load_card("galaxies-k4", overrides).build_priors()


def test_a_card_chooses_the_family():
    plain = load_card("galaxies-k4").build_priors()
    assert type(plain) is Priors
    found = load_card("galaxies-conjugate-k4").build_priors()
    assert found == ConjugatePriors(5.0, 20.0, 0.01, 10.0, 10.0).expanded(4)
    for override, field, value in (
        ("mixture.shared_sd=true", "shared_sd", True),
        ("mixture.sds=1.5", "sds", [1.5] * 4),
        ("mixture.sds=[1, 1.5, 2, 3]", "sds", [1.0, 1.5, 2.0, 3.0]),
        ("mixture.weights=[0.1, 0.2, 0.3, 0.4]", "weights", [0.1, 0.2, 0.3, 0.4]),
    ):
        priors = restricted(override)
        assert isinstance(priors, RestrictedPriors)
        assert priors.to_dict() == plain.to_dict() | {field: value}
    assert type(restricted("mixture.shared_sd=false")) is Priors


def test_priors_of_what_is_known_may_be_left_out():
    content = load_card("galaxies-k4", ["mixture.sds=1.0"]).model_dump(exclude_none=True)
    del content["priors"]["var_shape"], content["priors"]["var_scale"]
    card = validated_card(content, load_card("galaxies-k4").file)
    assert card.build_priors().to_dict()["sds"] == [1.0] * 4
    del content["mixture"]["sds"]
    with pytest.raises(InputError, match=r"key 'priors.var_shape' is missing"):
        validated_card(content, card.file)


@pytest.mark.parametrize(
    ("card", "override", "says"),
    [
        ("galaxies-k4", "mixture.sds=[1, 2]", "mixture.sds has 2 values but the mixture has 4"),
        ("galaxies-k4", "mixture.sds=-1", "mixture.sds = -1: input should be greater than 0"),
        ("galaxies-k4", "mixture.weights=[0.5, 0.6]", "mixture.weights must sum to 1"),
        ("galaxies-k4", "mixture.weights=0.5", "mixture.weights = 0.5: input should be a valid l"),
        ("galaxies-k4", 'mixture.family="student"', "mixture.family = 'student'"),
        ("galaxies-k4", "priors.mean_count=1", "priors.mean_count"),
        ("galaxies-conjugate-k4", "mixture.shared_sd=true", 'of family "normal"'),
        ("galaxies-conjugate-k4", "priors.mean_sd=1", "unknown key 'priors.mean_sd'"),
        ("galaxies-conjugate-k4", "priors.mean_count=0", "priors.mean_count = 0: input should be"),
        ("galaxies-conjugate-k4", "priors.var_shape=1e-4", "priors.var_shape = 0.0001: too small"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(card, override, says):
    with pytest.raises(InputError) as error:
        load_card(card, [override])
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_both_known_and_shared_is_refused():
    with pytest.raises(InputError, match=r"give mixture\.sds or mixture\.shared_sd"):
        load_card("galaxies-k4", ["mixture.sds=1", "mixture.shared_sd=true"])


def test_commands_that_do_not_know_a_family_say_so():
    for card, what in (
        (load_card("galaxies-conjugate-k4"), "family 'normal-conjugate'"),
        (load_card("galaxies-k4", ["mixture.shared_sd=true"]), "known or shared parameters"),
    ):
        with pytest.raises(InputError, match=f"select does not know {what}; do something"):
            card.refuse_other_families("select", "do something")
    load_card("galaxies-k4").refuse_other_families("select", "")

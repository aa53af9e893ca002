"""Model cards: what they say, how they are overridden, and how every mistake is explained."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from gmmcompare.api import fit
from gmmcompare.model.card import Card, bundled_cards, load_card
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Sample
from gmmcompare.runtime.bundled import bundled
from gmmcompare.runtime.errors import InputError

TEXT = bundled("models").joinpath("exoplanets-k3.toml").read_text(encoding="utf-8")


@pytest.fixture
def write(tmp_path):
    """Return a function that writes the bundled card with one passage replaced."""

    def written(passage: str = "", replacement: str = "") -> Path:
        assert passage in TEXT
        path = tmp_path / "planets.toml"
        path.write_text(TEXT.replace(passage, replacement, 1), encoding="utf-8")
        return path

    return written


def test_the_design_s_card(write):
    card = load_card(write())
    assert (card.name, card.K, card.run.seed) == ("planets", 3, 4)
    assert card.data.dataset == "exoplanets"
    assert (card.data.column, card.data.transform) == ("pl_radj", "log10")
    assert card.build_priors() == Priors().expanded(3)
    assert (card.engines.gibbs.warmup, card.engines.gibbs.draws) == (2000, 20_000)
    assert card.engines.nuts.identify == "none"


def test_every_bundled_card_loads_and_is_complete():
    assert {"exoplanets-k2", "exoplanets-k3", "galaxies-k4"} <= set(bundled_cards())
    for name in bundled_cards():
        card = load_card(name)
        assert card.name == name
        priors = card.build_priors()
        assert len(np.asarray(priors.weight_concentration)) == card.K
        if priors.family == "normal":
            assert priors.to_dict()["mean_sd"] == np.full(card.K, card.priors.mean_sd).tolist()
        # Every field of the priors is written out, none hidden.
        text = bundled("models").joinpath(f"{name}.toml").read_text(encoding="utf-8")
        for field in priors.to_dict():
            assert re.search(rf"^{field} = ", text, re.MULTILINE)


def test_what_is_exported_is_the_same_card():
    card = load_card("galaxies-k4", ["priors.mean_loc=[1.0, 2.0, 3.0, 4.5]", "run.seed=9"])
    content = json.loads(json.dumps(card.model_dump(mode="json", exclude_none=True)))
    again = Card.model_validate({**content, "file": card.file})
    assert again == card
    assert again.build_priors() == card.build_priors()
    assert again.build_priors().to_dict()["mean_loc"] == [1.0, 2.0, 3.0, 4.5]
    assert "file" not in content


def test_priors_may_differ_between_components(write):
    card = load_card(write("mean_loc = 0.0", "mean_loc = [-1, 0.5, 2]"))
    assert card.build_priors().to_dict()["mean_loc"] == [-1.0, 0.5, 2.0]


@pytest.mark.parametrize(
    ("override", "found"),
    [
        ("engines.gibbs.draws=2000", lambda c: c.engines.gibbs.draws == 2000),
        (" run.seed = 7 ", lambda c: c.run.seed == 7),
        ("priors.mean_sd=5", lambda c: c.priors.mean_sd == 5.0),
        ("priors.mean_loc=[0, 1.5, -2]", lambda c: c.priors.mean_loc == [0.0, 1.5, -2.0]),
        ("engines.nuts.identify=ordered", lambda c: c.engines.nuts.identify == "ordered"),
        ('engines.nuts.identify="ordered"', lambda c: c.engines.nuts.identify == "ordered"),
        ("engines.em.accelerate=false", lambda c: not c.engines.em.accelerate),
        ("engines.custom.draws=10", lambda c: c.engines.custom.draws == 10),
        ("engines.gibbs={draws = 5, chains = 2}", lambda c: c.engines.gibbs.draws == 5),
        ("title=Radii = sizes", lambda c: c.title == "Radii = sizes"),
        ("data.path=mine.csv", lambda c: (c.data.path, c.data.dataset) == ("mine.csv", None)),
        ("data.label=two words", lambda c: c.data.label == "two words"),
    ],
)
def test_overrides(write, override, found):
    assert not found(load_card(write()))
    assert found(load_card(write(), [override]))
    assert found(load_card(write()).with_overrides([override]))


def test_a_section_that_is_absent_can_be_overridden(write):
    path = write("[run]\nseed = 4\n", "")
    assert load_card(path).run.seed == 4
    assert load_card(path, ["run.seed=8"]).run.seed == 8


def test_overrides_apply_in_turn_and_leave_the_card_alone(write):
    card = load_card(write())
    changed = card.with_overrides(["data.path=a.csv", "data.dataset=galaxies", "run.seed=1"])
    assert (changed.data.path, changed.data.dataset) == (None, "galaxies")
    assert (card.data.dataset, card.run.seed) == ("exoplanets", 4)
    assert changed.name == card.name
    assert card.changed({"engines.gibbs.draws": 11}).engines.gibbs.draws == 11


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("foo", "--set foo: write KEY=VALUE, as in engines.gibbs.draws=2000"),
        ("=3", "--set =3: write KEY=VALUE"),
        ("foo=3", "planets.toml: unknown key 'foo'; allowed here: title, data,"),
        ("engines.gibbs.drwas=3", "unknown key 'engines.gibbs.drwas' (did you mean 'draws'?)"),
        ("engines.gibs.draws=3", "unknown key 'engines.gibs' (did you mean 'gibbs'?)"),
        ("engines.gibbs=3", "engines.gibbs = 3: must be a section, written [engines.gibbs]"),
        ("data.column.x=1", "data.column.x: column is a value, not a section"),
        ("engines.gibbs.draws=many", "engines.gibbs.draws = 'many': input should be a valid int"),
        ("engines.gibbs.draws=2e4", "engines.gibbs.draws = 20000.0: input should be a valid int"),
        ("priors.mean_loc=[0, 1]", "priors.mean_loc has 2 values but the mixture has 3 components"),
        ("mixture.components=0", "mixture.components = 0: input should be greater than or equal"),
        ("engines.nuts.identify=sorted", "'sorted': input should be 'none' or 'ordered'"),
    ],
)
def test_bad_overrides_are_explained(write, override, says):
    with pytest.raises(InputError, match=re.escape(says)):
        load_card(write(), [override])
    with pytest.raises(InputError, match=re.escape(says)):
        load_card(write()).with_overrides([override])


BAD = {
    "unknown key": (
        "draws = 20000",
        "drws = 20000",
        "unknown key 'engines.gibbs.drws' (did you mean 'draws'?); allowed here: chains, warmup,",
    ),
    "unknown section": ("[run]", "[rnu]", "unknown key 'rnu' (did you mean 'run'?)"),
    # A misspelt key is missing as well; what is written helps more than what is not.
    "misspelt key": (
        "mean_sd = 30",
        "mean_std = 30",
        "unknown key 'priors.mean_std' (did you mean",
    ),
    "missing key": ("components = 3", "", "key 'mixture.components' is missing"),
    "missing section": ("[mixture]\ncomponents = 3", "", "key 'mixture' is missing"),
    "no title": ('title = "Exoplanet radii, three components"', "", "key 'title' is missing"),
    "a prior left out": ("var_shape = 1e-4", "", "key 'priors.var_shape' is missing"),
    "text": ("components = 3", 'components = "3"', "components = '3': input should be a valid int"),
    "a truth value": ("mean_sd = 30.0", "mean_sd = true", "= True: input should be a valid number"),
    "fraction": ("components = 3", "components = 2.5", "= 2.5: input should be a valid integer"),
    "number for text": ('"pl_radj"', "3", "data.column = 3: input should be a valid string"),
    "table for number": (
        "mean_loc = 0.0",
        "mean_loc = {a = 1}",
        "priors.mean_loc: input should be",
    ),
    "no section": ("[run]", "[[run]]", "must be a section, written [run]"),
    "too few": ("components = 3", "components = 0", "components = 0: input should be greater than"),
    "too many": (
        "components = 3",
        "components = 65",
        "= 65: input should be less than or equal to",
    ),
    "not positive": (
        "mean_sd = 30.0",
        "mean_sd = -1",
        "mean_sd = -1: input should be greater than 0",
    ),
    "infinite": ("mean_loc = 0.0", "mean_loc = inf", "mean_loc = inf: input should be a finite"),
    "not a number": ("mean_sd = 30.0", "mean_sd = nan", "mean_sd = nan: input should be a finite"),
    "bad element": (
        "mean_sd = 30.0",
        "mean_sd = [1, -2, 3]",
        "priors.mean_sd.1 = -2: input should be greater than 0",
    ),
    "short vector": (
        "mean_sd = 30.0",
        "mean_sd = [1.0, 2.0]",
        "priors.mean_sd has 2 values but the mixture has 3 components: give one number or one per",
    ),
    "empty vector": ("mean_sd = 30.0", "mean_sd = []", "priors.mean_sd must be a number or a list"),
    "bad choice": (
        '"log10"',
        '"log2"',
        "data.transform = 'log2': input should be 'none', 'log' or",
    ),
    "two sources": (
        "[data]",
        '[data]\npath = "x.csv"',
        "data: give either dataset (a name) or path",
    ),
    "no source": (
        'dataset = "exoplanets"',
        "",
        "data: give either dataset (a name) or path (a file)",
    ),
    "negative seed": (
        "seed = 4",
        "seed = -4",
        "run.seed = -4: input should be greater than or equal",
    ),
    "file is no key": ("title", 'file = "x"\ntitle', "unknown key 'file'"),
    "no TOML": ("title =", "title = =", "is not valid TOML: Invalid value (at line 1"),
    "a key twice": (
        "seed = 4",
        "seed = 4\nseed = 5",
        "is not valid TOML: Cannot overwrite a value",
    ),
}


@pytest.mark.parametrize(("passage", "replacement", "says"), BAD.values(), ids=BAD)
def test_mistakes_are_explained_in_one_line_that_names_the_file(write, passage, replacement, says):
    path = write(passage, replacement)
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        load_card(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_card_that_is_not_there(tmp_path, write):
    with pytest.raises(InputError, match=r"did you mean 'exoplanets-k3'\?.*one of: .*galaxies-k4"):
        load_card("exoplanet-k3")
    with pytest.raises(InputError, match=r"no such card; give a TOML file"):
        load_card(tmp_path / "zzz.toml")
    with pytest.raises(InputError, match="is a folder; give a model card"):
        load_card(tmp_path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not text; a model card is a TOML file"):
        load_card(binary)


def test_a_file_wins_over_a_bundled_name(write, monkeypatch):
    path = write("seed = 4", "seed = 5")
    path.rename(path.with_name("galaxies-k4"))
    monkeypatch.chdir(path.parent)
    assert load_card("galaxies-k4").run.seed == 5


def test_a_card_cannot_be_changed(write):
    card = load_card(write())
    with pytest.raises(ValueError, match="frozen"):
        card.title = "other"
    with pytest.raises(ValueError, match="frozen"):
        card.engines.gibbs.draws = 1


def test_settings_from_python(write):
    card = load_card(write())
    assert card.changed({"engines.gibbs.draws": np.int64(7)}).engines.gibbs.draws == 7
    with pytest.raises(InputError, match=r"engines\.gibbs\.draws = 0: input should be greater"):
        card.changed({"engines.gibbs.draws": 0})


def test_data_without_a_card_are_checked_alike():
    sample = Sample.of([0.1, 0.5, 0.7])
    with pytest.raises(
        InputError, match=r"array\.toml: mixture\.components = 0: input should be gr"
    ):
        fit(sample, "gibbs", components=0)
    with pytest.raises(InputError, match="mean_loc has 3 values but the mixture has 2 components"):
        fit(sample, "gibbs", components=2, priors=Priors(mean_loc=[1.0, 2.0, 3.0]))
    found = fit(sample, "gibbs", components=np.int64(2), draws=np.int64(9), warmup=0, chains=1)
    assert found.params.w.shape == (1, 9, 2)

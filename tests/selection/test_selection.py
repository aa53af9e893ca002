"""The whole: which K is preferred, what is said of it, what is kept and reused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ledger import Ledger
from typer.testing import CliRunner

import gmmcompare as gc
from gmmcompare.cli import app
from gmmcompare.cli.show import print_selection
from gmmcompare.comparison.reasons import Code as PairCode
from gmmcompare.comparison.reasons import Reason
from gmmcompare.comparison.words import sentence
from gmmcompare.fitting.cache import FitCache
from gmmcompare.fitting.requests import EngineRequest, engine_requests
from gmmcompare.fitting.runner import Runner
from gmmcompare.model.card import Card
from gmmcompare.runtime.errors import EngineError, InputError
from gmmcompare.selection.conclusions import conclusions, disagreements
from gmmcompare.selection.reasons import Code
from gmmcompare.selection.selection import Selection, parse_components
from gmmcompare.workflows.compare import compare_card
from gmmcompare.workflows.load import Data
from gmmcompare.workflows.select import SelectionOutcome, select_card

from .conftest import REQUESTS

pytestmark = pytest.mark.slow

TWO = REQUESTS[:2]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("1-6", (1, 2, 3, 4, 5, 6)), ("2,3,5", (2, 3, 5)), (" 4 , 1 - 2,2", (1, 2, 4))],
)
def test_components_are_read(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_components(text) == numbers


@pytest.mark.parametrize("text", ["", "1-", "a", "3-1", "1;2", "0-2", "1-11", "2", "-1", "1.5,2"])
def test_malformed_components_are_one_line(text: str) -> None:
    with pytest.raises(InputError, match=r"^--components .*(write|each|give)") as error:
        parse_components(text)
    assert "\n" not in str(error.value)


def test_every_criterion_finds_the_two_heaps(chosen: SelectionOutcome) -> None:
    """Heaps 12 sd apart; BIC, ICL, LOO and the evidence cannot miss them."""
    selection = chosen.selection
    assert selection.components == (1, 2, 3)
    assert selection.engines == ("gibbs", "gibbs_plain")
    assert [selection.best(name) for name in ("bic", "icl")] == [2, 2]
    for engine in selection.engines:
        assert selection.best("evidence", engine) == 2
        assert selection.values("loo", engine)[2] > selection.values("loo", engine)[1] + 20
        found = selection.probabilities(engine)
        assert sum(p.value for p in found.values()) == pytest.approx(1.0)
        assert all(p.low <= p.value <= p.high for p in found.values())


def test_two_samplers_of_one_posterior_agree(chosen: SelectionOutcome) -> None:
    """LOO and evidence of three K within 6 Monte Carlo errors, six comparisons: 1e-8."""
    a, b = (chosen.selection.sampled(engine) for engine in chosen.selection.engines)
    for K in chosen.selection.components:
        gap = a[K].loo.elpd - b[K].loo.elpd
        assert abs(gap) < 6 * np.hypot(a[K].loo.mcse, b[K].loo.mcse)
        one, other = a[K].evidence, b[K].evidence
        assert abs(one.value - other.value) < 6 * np.hypot(one.se, other.se)


def test_the_file_says_what_the_object_says(chosen: SelectionOutcome) -> None:
    assert chosen.folder
    content = json.loads((chosen.folder / "selection.json").read_text())
    assert content["components"] == [1, 2, 3]
    assert content["card"]["name"] == "heaps"
    assert content["data"]["n"] == 150
    assert content["preferred"]["evidence"] == {"gibbs": 2, "gibbs_plain": 2}
    entry = content["candidates"][1]["engines"]["gibbs"]
    assert entry["log_evidence"] == chosen.selection.values("evidence", "gibbs")[2]
    assert sum(mode["probability"] for mode in entry["modes"]) == pytest.approx(1.0)
    assert len(content["conclusions"]) == 3 + 2 * 2
    for said, c in zip(content["conclusions"], chosen.selection.conclusions, strict=True):
        codes = tuple(Reason.from_dict(code) for code in said["codes"])
        assert codes == (c.answer, *c.doubts)
        assert len(said["doubts"]) == len(c.doubts)
    for what in ("doubts", "disagreements"):
        codes = tuple(Reason.from_dict(code) for code in content["codes"][what])
        assert codes == getattr(chosen.selection, what)
        assert content[what] == [sentence(code) for code in codes]
    table = chosen.selection.table()
    assert table.loc[2, "gibbs_elpd"] == entry["elpd"]


def test_compare_and_select_share_fits_by_their_key(
    heaps: gc.Sample, heaps_card: Card, tmp_path: Path
) -> None:
    """Whatever the output folders are called."""
    cache, requests = FitCache(tmp_path / "cache"), engine_requests(("em", "gibbs"))
    data, first = Data(heaps), Ledger()
    compare_card(heaps_card, data, requests, folder=tmp_path / "a", cache=cache, progress=first)
    assert (first.begun, first.reused) == (["em", "gibbs"], [])
    ledger, out = Ledger(), tmp_path / "b"
    select_card(heaps_card, (1, 2), requests, data=data, folder=out, cache=cache, progress=ledger)
    assert ledger.begun == ["K=1 em", "K=1 gibbs", "K=1 criteria", "K=2 criteria"]
    assert ledger.reused == ["K=2 em", "K=2 gibbs"]
    assert ledger.open == []
    lent = gc.load_fit(out / "k2" / "fits" / "gibbs.nc")
    assert lent.key == gc.load_fit(tmp_path / "a" / "fits" / "gibbs.nc").key
    other_objective = heaps_card.changed({"engines.em.objective": "map"})
    again = Ledger()
    compare_card(other_objective, data, requests, cache=cache, progress=again)
    assert (again.begun, again.reused) == (["em"], ["gibbs"])


def test_a_second_run_fits_nothing_and_says_the_same(
    chosen: SelectionOutcome, heaps: gc.Sample, tmp_path: Path
) -> None:
    card, cache = chosen.provenance.card, FitCache(tmp_path)
    ledger = Ledger()
    for _ in range(2):
        again = select_card(card, (2, 3), REQUESTS, data=Data(heaps), cache=cache, progress=ledger)
    assert len(ledger.reused) == 0  # begun in the first run
    assert [what for what in ledger.begun if "criteria" not in what] == [
        f"K={K} {request.name}" for K in (2, 3) for request in REQUESTS
    ]
    same = again.selection.values("evidence", "gibbs")
    assert same[2] == chosen.selection.values("evidence", "gibbs")[2]


def test_criteria_are_of_the_maximum_likelihood_whatever_the_card_maximises(
    chosen: SelectionOutcome, heaps: gc.Sample
) -> None:
    card = chosen.provenance.card.changed({"engines.em.objective": "map"})
    found = select_card(card, (1, 2), TWO, data=Data(heaps)).selection
    assert found.values("bic") == pytest.approx(
        {K: v for K, v in chosen.selection.values("bic").items() if K < 3}
    )


def with_gibbs(selection: Selection, K: int, **changes: object) -> Selection:
    """Return the selection with something changed in what Gibbs says of one K."""
    candidates = []
    for c in selection.candidates:
        if c.K == K:
            sampled = {**c.sampled, "gibbs": replace(c.sampled["gibbs"], **changes)}
            c = replace(c, sampled=sampled)
        candidates.append(c)
    return replace(selection, candidates=tuple(candidates))


def doubts(selection: Selection, criterion: str, engine: str = "gibbs") -> tuple[Reason, ...]:
    found = {(c.criterion, c.engine): c for c in conclusions(selection)}
    return found[criterion, engine].doubts


def test_doubts_are_said(chosen: SelectionOutcome) -> None:
    selection = chosen.selection
    sound = with_gibbs(with_gibbs(with_gibbs(selection, 1, doubts=()), 2, doubts=()), 3, doubts=())
    assert not any(reason.code == Code.DOUBTFUL_DRAWS for reason in doubts(sound, "loo"))
    rhat = Reason(
        PairCode.HIGH_RHAT, {"functional": "w[1]", "rhat": 1.5, "limit": 1.01}, engine="gibbs"
    )
    doubtful = with_gibbs(sound, 3, doubts=(rhat,))
    said = Reason(Code.DOUBTFUL_DRAWS, {"draws": "gibbs", "at": (3,)})
    for criterion in ("loo", "evidence"):
        assert said in doubts(doubtful, criterion)
    assert rhat.of_components(3) in doubtful.doubts
    loo = selection.sampled("gibbs")[2].loo
    tail = replace(loo, pareto_k=np.where(np.arange(loo.pareto_k.size) == 0, 0.9, 0.1))
    count = int(selection.sample.counts[0])
    high = {"draws": "gibbs", "count": count, "n": 150, "limit": 0.7, "refits": 50}
    bad = Reason(Code.HIGH_PARETO_K, high).of_components(2)
    assert bad in doubts(with_gibbs(sound, 2, loo=tail), "loo")


def test_modes_are_weighed(chosen: SelectionOutcome) -> None:
    evidence = chosen.selection.sampled("gibbs")[3].evidence
    split = replace(evidence, modes=((0, 2, 3), (1,)), shares=np.array([0.25, 0.75]))
    changed = with_gibbs(chosen.selection, 3, evidence=split)
    modes = {"draws": "gibbs", "modes": (((1, 3, 4), 0.25), ((2,), 0.75))}
    assert Reason(Code.SEVERAL_MODES, modes).of_components(3) in doubts(changed, "evidence")
    pooled = Reason(Code.MODES_POOLED, {"draws": "gibbs"}).of_components(3)
    assert pooled in doubts(changed, "loo")


def test_an_evidence_of_states_hardly_visited_is_inconclusive(chosen: SelectionOutcome) -> None:
    for changes, said in ((2.0, True), (3000.0, False), (1e-9, False)):
        changed = with_gibbs(chosen.selection, 2, occupancy_changes=changes)
        rare = {"draws": "gibbs", "changes": changes, "needed": 100.0}
        expected = Reason(Code.RARE_OCCUPANCY, rare).of_components(2)
        assert (expected in doubts(changed, "evidence")) == said
        assert expected not in doubts(changed, "loo")


def test_engines_that_differ_are_named(chosen: SelectionOutcome) -> None:
    selection = chosen.selection
    alike = [r.numbers for r in selection.disagreements if r.code == Code.ENGINES_ALIKE]
    assert "loo" in [numbers["criterion"] for numbers in alike]
    evidence = selection.sampled("gibbs")[2].evidence
    off = with_gibbs(selection, 2, evidence=replace(evidence, value=evidence.value + 1.0))
    (apart,) = [
        r.numbers for r in disagreements(off, conclusions(off)) if r.code == Code.ENGINES_APART
    ]
    assert apart["criterion"] == "evidence"
    assert apart["engines"] == ("gibbs", "gibbs_plain")
    assert 2 in [K for K, gap, error in apart["at"] if gap > 3 * error]


def test_the_price_of_a_component_is_told(chosen: SelectionOutcome) -> None:
    """From two to three the likelihood gains a little, and the prior costs more."""
    (price,) = [
        r.numbers for r in chosen.selection.disagreements if r.code == Code.PRICE_OF_COMPONENTS
    ]
    values = chosen.selection.values("evidence", "gibbs")
    fits = {c.K: c.information.log_lik for c in chosen.selection.candidates if c.information}
    assert price == {
        "draws": "gibbs",
        "selected": 2,
        "more": 3,
        "gain": fits[3] - fits[2],
        "loss": values[2] - values[3],
    }


def test_the_largest_number_tried_is_no_answer(chosen: SelectionOutcome) -> None:
    cut = replace(chosen.selection, candidates=chosen.selection.candidates[:2])
    (edge,) = [r for r in cut.disagreements if r.code == Code.LARGEST_SELECTED]
    assert edge.numbers["largest"] == 2
    assert {"bic", "icl", "evidence"} <= set(edge.numbers["criteria"])


def test_an_engine_that_gives_up_is_said_and_the_rest_stands(
    heaps: gc.Sample, heaps_card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Runner.fit

    def fit(self: Runner, request: EngineRequest, this_round: int = 1) -> gc.Fit:
        if request.name == "em" and self.card.K == 2:
            raise EngineError("em: all starts collapsed")
        return whole(self, request, this_round)

    monkeypatch.setattr(Runner, "fit", fit)
    found = select_card(heaps_card, (1, 2), TWO, data=Data(heaps)).selection
    assert set(found.values("bic")) == {1}
    assert set(found.values("evidence", "gibbs")) == {1, 2}
    failed = Reason(Code.NO_FIT, {"error": "em: all starts collapsed"}, engine="em")
    assert failed.of_components(2) in found.doubts
    missing = Reason(Code.NO_VALUE, {"criterion": "aic", "run": True})
    assert missing.of_components(2) in found.conclusions[0].doubts


def test_nothing_to_select_from(heaps: gc.Sample, heaps_card: Card) -> None:
    few = gc.Sample.of([1.0, 1.0, 2.0])
    ledger = Ledger()
    with pytest.raises(InputError, match="2 distinct values are fewer than 3 components"):
        select_card(heaps_card, (1, 2, 3), data=Data(few), progress=ledger)
    assert ledger.begun == []  # said before any work
    uneven = heaps_card.changed({"priors.mean_loc": [0.0, 1.0]})
    with pytest.raises(InputError, match=r"priors\.mean_loc has 2 values but the mixture has 3"):
        select_card(uneven, (2, 3), data=Data(heaps))
    with pytest.raises(EngineError, match="no engine has draws"):
        select_card(heaps_card, (1, 2), TWO[:1], data=Data(heaps))


@pytest.fixture
def small_card(tmp_path: Path, heaps: gc.Sample) -> Path:
    (tmp_path / "heaps.csv").write_text("x\n" + "\n".join(map(str, heaps.y)) + "\n")
    card = tmp_path / "heaps.toml"
    card.write_text(
        'title = "Two heaps"\n[data]\npath = "heaps.csv"\n[mixture]\ncomponents = 2\n[priors]\n'
        "weight_concentration = 1.0\nmean_loc = 0.0\nmean_sd = 10.0\nvar_shape = 2.0\n"
        "var_scale = 1.0\n[engines.gibbs]\ndraws = 400\nwarmup = 200\n"
    )
    return card


def test_the_command(small_card: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["--components", "1-2", "--engines", "em, gibbs", "--out", str(out), "--json"]
    result = CliRunner().invoke(app, ["select", str(small_card), *arguments])
    assert result.exit_code == 0, result.output
    assert result.stdout == (out / "selection.json").read_text()
    assert json.loads(result.stdout)["preferred"]["bic"] == 2
    assert (out / "index.html").is_file()
    assert (out / "k2" / "fits" / "gibbs.nc").is_file()


def test_from_python(small_card: Path) -> None:
    found = gc.select(small_card, [1, 2], engines=["gibbs"], seed=5)
    assert found.best("evidence", "gibbs") == 2
    with pytest.raises(InputError, match="a card has its own priors"):
        gc.select(small_card, priors=gc.Priors())


def test_the_table_in_a_terminal(
    chosen: SelectionOutcome, capsys: pytest.CaptureFixture[str]
) -> None:
    print_selection(chosen.selection, Path("page.html"))
    printed = capsys.readouterr().out
    assert "log evidence (Gibbs)" in printed
    for c in chosen.selection.conclusions:
        assert c.sentence in printed
    assert f"{chosen.selection.values('bic')[2]:.1f}" in printed
    assert printed.rstrip().endswith("report: page.html")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--components", "6-1"], "as in 1-6"),
        (["--engines", "gibs"], "did you mean 'gibbs'"),
        (["--set", "mixture.compnents=3"], "unknown key"),
    ],
)
def test_bad_input_is_one_line(small_card: Path, arguments: list[str], complaint: str) -> None:
    result = CliRunner().invoke(app, ["select", str(small_card), *arguments])
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1

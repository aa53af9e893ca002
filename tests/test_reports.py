"""What the reports say in a sentence is what their own tables say, figure by figure.

The committed files are read, as a reader would. A printed number stands for every number that is
rounded to it, so what is recomputed from rounded numbers is an interval: the figure must reach it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from printed import REPORTS, Printed, Table, counts, printed, read, stated, tables, whole

from gmmcompare.model.exact import exact_posterior
from gmmcompare.studies.evidence import SCENES
from gmmcompare.studies.gallery import GalleryStudy
from gmmcompare.studies.markdown import Frequency
from gmmcompare.validation import error_rates
from gmmcompare.validation.faults.catalogue import FAULTS, KERNEL_FAULTS
from gmmcompare.validation.faults.museum.catalogue import PIECES

CHECKED = (
    "benchmarks",
    "components",
    "errors",
    "evidence-study",
    "fault-gallery",
    "gallery-components",
    "gallery-measured",
    "museum",
    "public-kernels",
    "scaling",
    "shelf",
    "spread",
    "suspects",
    "verdict-study",
)


def test_no_report_is_left_out() -> None:
    assert tuple(sorted(path.stem for path in REPORTS.glob("*.md"))) == CHECKED


# --- the gallery of faults ------------------------------------------------------------------------


def check_gallery(text: str) -> None:
    """Hold every figure above the tables against them."""
    (faults,) = tables(text, "Faults")
    (right,) = tables(text, "Correct samplers")
    runs, failed, first, three = (
        np.array([whole(c) for c in faults.column(name)])
        for name in ("runs", "failed", "named first", "in first three")
    )
    planted = counts(text, r"- (\d+) of (\d+) validations of a planted fault")
    assert planted == (failed.sum(), runs.sum())
    good = tuple(sum(map(whole, right.column(name))) for name in ("passed", "runs"))
    assert counts(text, r"- (\d+) of (\d+) validations of a correct sampler") == good
    kernel = np.array([name in KERNEL_FAULTS for name in faults.column("fault")])
    caught = failed[kernel].sum()
    named = counts(text, r"first in (\d+) of (\d+) and among the first three in (\d+) of (\d+)")
    assert named == (first[kernel].sum(), caught, three[kernel].sum(), caught)
    by_contract = kernel & ["contract" in by for by in faults.column("caught by")]
    broken = counts(text, r"In (\d+) of these the kernel broke the contract")
    assert broken == ((failed - three)[by_contract].sum(),)
    assert (first <= three).all()
    assert (three <= failed).all()
    assert (failed <= runs).all()


def test_gallery() -> None:
    text = read("fault-gallery")
    check_gallery(text)
    faults, _, meanings = tables(text)
    assert sorted(faults.column("fault")) == sorted(FAULTS)
    expected = [[name, f"`{f.mistake}`", f.effect] for name, f in FAULTS.items()]
    assert sorted(meanings.rows) == sorted(expected)


def test_gallery_is_written_with_figures_that_agree(tmp_path: Path) -> None:
    """Whoever was caught counts, named or not: also by a contract broken before any signature."""
    lines = [
        row("shape-plus-n", 1, rank=1),
        row("shape-plus-n", 2, rank=2),
        row("var-scale-dropped", 1, rank=1),
        row("var-scale-dropped", 2, caught_by="contract"),
        row("mean-loc-ignored", 1, verdict="passed"),
        row("mean-loc-ignored", 2, rank=4),
        row("one-seed-for-all-chains", 1, caught_by="contract"),
        row("correct", 1, verdict="passed"),
        row("correct", 2, verdict="inconclusive"),
    ]
    found: dict[str, list[dict[str, object]]] = {}
    for line in lines:
        found.setdefault(str(line["sampler"]), []).append(line)
    text = GalleryStudy(tmp_path, 1001).page(found)
    check_gallery(text)
    assert "- 6 of 7 validations of a planted fault" in text
    assert "- 1 of 2 validations of a correct sampler" in text
    assert "first in 2 of 5 and among the first three in 3 of 5 of" in text
    assert "In 1 of these" in text


def row(
    name: str,
    seed: int,
    verdict: str = "failed",
    caught_by: str = "conditionals, invariance",
    rank: int = 0,
) -> dict[str, object]:
    """Return one validation as the study stores it; a broken contract has no other check."""
    checks = {"contract": ["failed", 0, 0.1]} if caught_by == "contract" else {}
    return {
        "sampler": f"fault:{name}",
        "seed": seed,
        "quick": False,
        "name": name,
        "is_fault": name in FAULTS,
        "verdict": verdict,
        "caught_by": caught_by if verdict == "failed" else "",
        "replicates": 500,
        "seconds": 1.0,
        "processor_seconds": 1.0,
        "rank": rank,
        "checks": checks or {"invariance": [verdict, 500, 1.0]},
    }


# --- the museum, and the shelf --------------------------------------------------------------------


def test_museum() -> None:
    text = read("museum")
    (bugs,), (twins,) = tables(text, "Bugs"), tables(text, "Repaired twins")
    (origins,) = tables(text, "Where they come from")
    for what, table, outcome in (("bug", bugs, "failed"), ("repaired twin", twins, "passed")):
        said = counts(text, rf"- (\d+) of (\d+) validations of a {what} came out \*{outcome}\*")
        assert said == tuple(sum(map(whole, table.column(name))) for name in (outcome, "runs"))
    assert bugs.column("bug") == list(PIECES)
    assert twins.column("sampler") == [f"{name}/repaired" for name in PIECES]
    expected = [[p.name, p.mistake, p.effect, f"<{p.report}>"] for p in PIECES.values()]
    assert [[cell.replace(r"\|", "|") for cell in row] for row in origins.rows] == expected
    quiet = counts(text, r"R-hat was below 1\.01 for (\d+) of (\d+) wrong samplers")
    rhats = [float(value) for value in bugs.column("R-hat")]
    assert quiet == (sum(value < 1.01 for value in rhats), len(rhats))
    assert bugs.column("failed") == bugs.column("runs")
    assert set(twins.column("failed")) == {"0"}
    assert max(map(float, bugs.column("processor seconds"))) < 60.0


def test_shelf() -> None:
    text = read("shelf")
    (table,) = tables(text)
    runs, passed, inconclusive, failed = (
        [whole(cell) for cell in table.column(name)]
        for name in ("runs", "passed", "inconclusive", "failed")
    )
    assert sorted(table.column("model")) == sorted(
        path.stem for path in (REPORTS.parent / "examples" / "shelf").glob("*.py")
    )
    assert [sum(some) for some in zip(passed, inconclusive, failed, strict=True)] == runs
    for verdict, some in (("failed", failed), ("inconclusive", inconclusive)):
        said = counts(text, rf"- (\d+) of ([\d,]+) [a-z ]*came out \*{verdict}\*")
        assert said == (sum(some), sum(runs))
    assert sum(failed) == 0  # of 2,250 correct ones with probability at most 0.02


# --- the number of components ---------------------------------------------------------------------


def test_components() -> None:
    text = read("components")
    galaxies = tables(text, "Galaxies")[0]
    ours, published = (
        np.array([float(cell) for cell in galaxies.column(name)])
        for name in ("telescoping", "published")
    )
    ((said,),) = stated(text, r"sampler's by ([\d.]+) in total variation")
    # What lies beyond the table is below 0.01.
    assert abs(0.5 * np.abs(ours - published).sum() - float(said)) < 0.005 + 0.005
    exoplanets = tables(text, "Exoplanets")[0]
    said = stated(text, r"Total variation is ([\d.]+), ([\d.]+),\s+([\d.]+) and ([\d.]+);")[0]
    for at, variation in enumerate(said):
        pairs = [(row[2 * at + 1], row[2 * at + 2]) for row in exoplanets.rows[:-1]]
        found = [
            [[float(x.strip("()")) for x in cell.split()] for cell in p] for p in pairs if p[0]
        ]
        distance = 0.5 * sum(abs(a[0] - b[0]) for a, b in found)
        assert abs(distance - float(variation)) < 0.02  # 13 and more are one row, and rounded
        z = [abs(a[0] - b[0]) / np.hypot(a[1], b[1]) for a, b in found if len(a) > 1]
        assert max(z) < 1.95  # "by more than 1.9 standard errors"
    times, _ = tables(text, "Speed")
    seconds = [float(cell) for cell in times.column("us")]
    for taken, ratio in zip(seconds, times.column("over"), strict=True):
        assert abs(taken / seconds[0] - float(ratio)) < 0.1


@pytest.mark.parametrize("kernels", ["measured", "components"])
def test_galleries_of_families(kernels: str) -> None:
    text = read(f"gallery-{kernels}")
    (faults,), (right,) = tables(text, "Faults"), tables(text, "Correct samplers")
    for table, outcome, kind in (
        (faults, "failed", "a planted fault"),
        (right, "passed", "a correct"),
    ):
        runs, came_out = (sum(map(int, table.column(name))) for name in ("runs", outcome))
        assert f"{came_out} of {runs} validations of {kind}" in text
        # One subtle fault of components passed once.
        assert came_out == runs - (kernels == "components" and outcome == "failed")


# --- suspects -------------------------------------------------------------------------------------


def named(table: Table, column: str) -> int:
    """Count failed faults whose similarity in a column is above the threshold."""
    cells = zip(table.column("failed"), table.column(column), strict=True)
    return sum(
        failed == "yes" and value != "-" and float(value) > error_rates.SUSPECT_SIMILARITY
        for failed, value in cells
    )


def test_suspects() -> None:
    text = read("suspects")
    known, unknown = tables(text)
    assert f"similarity above {error_rates.SUSPECT_SIMILARITY} " in text
    assert counts(text, r"from (\d+) tests") == (len(known.rows) + len(unknown.rows),)
    assert set(known.column("fault")) == set(KERNEL_FAULTS) - {"z-from-stale-weights"}
    assert not set(unknown.column("fault")) & set(FAULTS)
    for which in ("vectors", "numbers"):
        said = counts(
            text,
            rf"`{which}`: (\d+) of (\d+) known faults are named; left out, (\d+) of (\d+) would "
            r"have another named in their place; of faults not in the gallery, (\d+) of (\d+)",
        )
        itself, other = named(known, f"{which}: itself"), named(known, f"{which}: similarity")
        wrong = named(unknown, f"{which}: similarity")
        assert said == (itself, len(known.rows), other, len(known.rows), wrong, len(unknown.rows))
        assert 20 * other <= len(known.rows)
        assert 20 * wrong <= len(unknown.rows)


# --- the study of the verdict ---------------------------------------------------------------------


class Case(NamedTuple):
    what: str
    ess: str
    n: int
    times: dict[str, int]


def cases(text: str, heading: str) -> list[Case]:
    """Return the rows below a heading, shares turned back into counts."""
    (table,) = tables(text, heading)
    outcomes = ("agree", "inconclusive", "disagree", "repeated")
    found = []
    for what, _, ess, n, *shares in table.rows:
        times = [round(float(share.split()[0]) * whole(n) / 100) for share in shares]
        assert [str(Frequency(count, whole(n))) for count in times] == shares
        found.append(Case(what, ess, whole(n), dict(zip(outcomes, times, strict=True))))
        assert sum(times[:3]) == whole(n)
        # Nothing is called a disagreement at the first attempt, where there can be another.
        assert times[2] <= times[3] or "made elsewhere" in what
    return found


def pooled(which: list[Case], *outcomes: str) -> Frequency:
    return Frequency(sum(c.times[o] for c in which for o in outcomes), sum(c.n for c in which))


def test_verdict_study() -> None:
    text = read("verdict-study")
    equal, different, faulty = (
        cases(text, heading) for heading in ("Equal targets", "Different targets", "Faulty runs")
    )
    every = [*equal, *different, *faulty]
    assert counts(text, r"from ([\d,]+) comparisons") == (sum(c.n for c in every),)
    plain = [c for c in equal if c.what in ("independent draws", "autocorrelated chains")]
    of_ess = {
        ess: [c for c in plain if c.ess == ess] for ess in ("200", "1,000", "4,000", "10,000")
    }

    def called(verdict: str, of: list[Case], *kind: str) -> Frequency:
        return pooled([c for c in of if any(word in c.what for word in kind)], *verdict.split())

    few = [c for c in different if c.ess == "200"]
    shifted = [c for c in different if c.what == "shifted by 0.2 sd"]
    expected = {
        "equal, ESS 1,000, called disagree": pooled(of_ess["1,000"], "disagree"),
        "equal, ESS 4,000, called disagree": pooled(of_ess["4,000"], "disagree"),
        "equal, ESS 10,000, called disagree": pooled(of_ess["10,000"], "disagree"),
        "equal, ESS 200, called anything but inconclusive": pooled(
            of_ess["200"], "agree", "disagree"
        ),
        "equal, one with a slow mode, called disagree": called("disagree", equal, "AR("),
        "equal, one of antithetic chains, called disagree": called("disagree", equal, "antithetic"),
        "equal, other numbers and lengths of chains, called disagree": called(
            "disagree", equal, "shorter chains"
        ),
        "equal, priors that differ by component, called disagree": called(
            "disagree", equal, "priors that differ"
        ),
        "different, ESS 200, called agree": pooled(few, "agree"),
        "shifted by 0.2 sd, any ESS, called agree": pooled(shifted, "agree"),
        "correlation 0.3 of two parameters, called agree": called(
            "agree", different, "correlation 0.3"
        ),
        "components in the wrong order or swapped, called agree": called(
            "agree", different, "components in", "components swapped"
        ),
        "near copies, judged": called("agree disagree", faulty, "one chain but for noise"),
        "faulty run, called agree": pooled(faulty, "agree"),
    }
    (errors,) = tables(text, "Errors")
    said = {what: (times, of, share) for what, times, of, share in errors.rows}
    *_, unnamed = errors.column("error")
    assert unnamed == "faulty run, the wrong engine or none named"
    times, of, share = said.pop(unnamed)  # whom it named is in no table
    assert whole(of) == sum(c.n for c in faulty)
    assert str(Frequency(whole(times), whole(of))) == share
    assert said == {what: (str(f.count), f"{f.of:,}", str(f)) for what, f in expected.items()}


# --- the study of the evidence's error ------------------------------------------------------------


def test_evidence_study() -> None:
    text = read("evidence-study")
    (table,) = tables(text)
    assert table.column("data and priors") == [s.name for s in SCENES]
    repeated = {int(cell.partition(" of ")[2]) for cell in table.column("within")}
    assert repeated == set(counts(text, r"each repeated (\d+) times"))
    for scene, N, K, exact, mean, variance, largest, within in zip(
        SCENES,
        *(table.column(name) for name in ("N", "K", "exact", "mean z", "variance", "largest")),
        table.column("within"),
        strict=True,
    ):
        assert (int(N), int(K)) == (len(scene.y), scene.K)
        assert f"{exact_posterior(scene.y, scene.K, scene.priors).log_evidence:.6f}" == exact
        inside, of = (int(number) for number in within.split(" of "))
        if largest != "3.0":
            assert (float(largest) < 3.0) == (inside == of)
        # The largest of some numbers is at least their root mean square.
        assert (float(largest) + 0.05) ** 2 > float(mean) ** 2 + (float(variance) - 0.005) * 0.99
    # "A run that missed a part is too low", as under the default priors.
    rows = zip(table.column("largest"), table.column("mean z"), table.column("data"), strict=True)
    _, mean, name = max(rows, key=lambda row: float(row[0]))
    assert name == "two, default priors"
    assert float(mean) < 0


# --- benchmarks -----------------------------------------------------------------------------------


def test_benchmarks() -> None:
    text = read("benchmarks")
    compared = 0
    limits = 0
    for table in tables(text)[:5]:
        first = table.rows[0]
        for what, median, spread, ratio, note in table.rows:
            low, high = printed(spread.split(" to ")) if spread else printed([median] * 2)
            middle = Printed.of(median)
            assert low.low <= middle.high, what
            assert middle.low <= high.high, what
            if ratio.endswith("x"):
                # A ratio is the median of those within rounds, so between the extremes.
                slow = printed(first[2].split(" to ")) if first[2] else printed([first[1]] * 2)
                bounds = Printed(slow[0].low / high.high, slow[1].high / low.low)
                assert Printed.of(ratio).reaches(bounds), what
                compared += 1
            for limit, unit in re.findall(r"must ([\d.]+) ?(x|s)?", note):
                if unit == "s":
                    assert middle.high <= float(limit), what
                else:
                    assert Printed.of(ratio).low >= float(limit), what
                limits += 1
    assert (compared, limits) == (5, 5)
    by_size, *_ = tables(text, "Growth of the Gibbs sweep")
    for n, sweep, value in by_size.rows:
        assert Printed.of(value).reaches(Printed.of(sweep).times(1e3 / whole(n))), n
    ((n, peak, most),) = stated(text, r"at N = ([\d,]+), K.*: ([\d.]+) times.*must be (\d) or less")
    assert n == by_size.rows[-1][0]
    assert float(peak) <= float(most)


# --- calibration on workers -----------------------------------------------------------------------


def test_spread() -> None:
    text = read("spread")
    (table,) = tables(text)
    assert table.column("workers") == ["1", "2"]
    replicates, size = counts(text, r"([\d,]+) replicates, in slices of (\d+)")
    seconds = printed(table.column("seconds"))
    for took, rate in zip(seconds, printed(table.column("replicates per second")), strict=True):
        assert rate.reaches(Printed(replicates, replicates) / took)
    ((share, median, low, high),) = stated(
        text,
        r"Two workers took ([\d.]+) of the time of one; over slices the ratio was ([\d.]+) "
        r"\(median\), ([\d.]+) to ([\d.]+)\.",
    )
    assert Printed.of(share).reaches(seconds[1] / seconds[0])
    # The whole is a weighted mean of the slices.
    assert float(low) <= float(share) <= float(high)
    assert float(low) <= float(median) <= float(high)
    assert replicates % size == 0

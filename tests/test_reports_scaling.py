"""The report on data in partitions: measurements, cost model and extrapolation agree.

See `test_reports` for what is compared with what.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from printed import Printed, Table, counts, printed, read, stated, tables, whole


def slope(n: Sequence[float], times: Sequence[Printed]) -> Printed:
    """Return the exponent of growth by least squares, with every time as far off as can be."""
    x = np.log(n) - np.log(n).mean()
    weights = x / (x @ x)
    low, high = (np.log([getattr(t, end) for t in times]) for end in ("low", "high"))
    parts = np.array([weights * low, weights * high])
    return Printed(float(parts.min(axis=0).sum()), float(parts.max(axis=0).sum()))


class CostModel:
    """The cost model of the report, with the numbers that it prints."""

    def __init__(self, table: Table) -> None:
        (cells,) = table.rows
        self.value, self.task, self.scheduling, self.round, self.latency = printed(cells[:5])
        self.message = Printed.of(cells[5])

    def busy(self, n: float, tasks: int, chains: int = 1) -> Printed:
        return self.value.times(n * chains) + self.task.times(tasks)

    def here(self, tasks: int) -> Printed:
        return self.round + self.scheduling.times(tasks)

    def terms(self, n: float, workers: int, tasks: int, chains: int = 1) -> tuple[Printed, ...]:
        busiest = -(-tasks // workers)
        return (
            self.value.times(n * chains * busiest / tasks),
            self.task.times(busiest) + self.here(tasks),
            self.latency,
        )


def total(terms: Sequence[Printed]) -> Printed:
    return sum(terms[1:], start=terms[0])


def test_scaling_as_measured() -> None:
    text = read("scaling")
    (table,) = tables(text, "Measured")
    n = np.array([whole(c) for c in table.column("N")])
    fastest = printed(table.column("sweep, fastest"))
    workers = np.array([whole(c) for c in table.column("workers")])
    said = stated(text, r"On (\d) workers? the fastest sweep grows as N\^([\d.]+)\.")
    assert [int(w) for w, _ in said] == sorted(set(workers))
    for w, exponent in said:
        rows = np.flatnonzero(workers == int(w))
        assert Printed.of(exponent).reaches(slope(n[rows], [fastest[i] for i in rows]))
    for fast, median in zip(fastest, printed(table.column("median")), strict=True):
        assert fast.low <= median.high
    assert counts(text, r"EM on ([\d,]+) values, (\d) workers") == (max(n), max(workers))


def test_scaling_as_the_cost_model_has_it() -> None:
    text = read("scaling")
    (measured,) = tables(text, "Measured")
    terms, table = tables(text, "Cost model")
    model = CostModel(terms)
    for name in ("workers", "N"):
        assert table.column(name) == measured.column(name)
    models = [printed(table.column(name)) for name in ("workers' proc", "scheduler's", "elapsed")]
    values = [
        printed(table.column("measured")),
        printed(table.column("measured", 1)),
        printed(table.column("fastest")),
    ]
    for i, (w, n, tasks) in enumerate(
        zip(*(map(whole, measured.column(c)) for c in ("workers", "N", "tasks")), strict=True)
    ):
        computed = (model.busy(n, tasks), model.here(tasks), total(model.terms(n, w, tasks)))
        for k, expected in enumerate(computed):
            modelled, found = models[k][i], values[k][i]
            assert modelled.reaches(expected.times(1e3)), (i, k)
            assert Printed.of(table.column("ratio", k)[i]).reaches(found / modelled), (i, k)
        per_value = Printed.of(measured.column("workers' processor time")[i])
        assert values[0][i].reaches(per_value.times(1e-6 * n)), i
        assert measured.column("sweep, fastest")[i] == table.column("fastest")[i]


def test_scaling_as_extrapolated() -> None:
    text = read("scaling")
    model = CostModel(tables(text, "Cost model")[0])
    (table,) = tables(text, "1e9 values, 4 chains")
    n, chains = 1e9, 4
    names = ("values", "tasks", "latency")
    for workers, tasks, *cells, dominant in table.rows:
        w, t = int(workers), int(tasks)
        terms = model.terms(n, w, t, chains)
        for cell, expected in zip(printed(cells), (*terms, total(terms)), strict=True):
            assert cell.reaches(expected), workers
        parts = [float(c) for c in cells[:3]]
        assert dominant == names[int(np.argmax(parts))]
        assert float(cells[3]) == pytest.approx(sum(parts), rel=0.01)
    ((w, each, sweep, values, tasks, here, dominant),) = stated(
        text,
        r"With (\d+) workers, (\d) tasks for each, a sweep takes ([\d.]+) s: ([\d.]+) s over "
        r"values and ([\d.]+) s over tasks, ([\d.]+) s of it in the scheduler.*: (\w+) dominate\.",
    )
    assert {int(row[1]) / int(row[0]) for row in table.rows} == {int(each)}
    (row,) = [r for r in table.rows if r[0] == w]
    for figure, cell in ((values, row[2]), (tasks, row[3]), (sweep, row[5])):
        assert Printed.of(figure).reaches(Printed.of(cell))
    assert dominant == row[6]
    assert Printed.of(here).reaches(model.here(int(row[1])))
    ((pieces, apart),) = stated(text, r"each of ([\d,]+) partitions it would take ([\d.]+) s\.")
    assert Printed.of(apart).reaches(total(model.terms(n, int(w), whole(pieces), chains)))
    ((best, least),) = stated(text, r"Time falls up to ([\d,]+) workers, to ([\d.]+) s;")
    many = range(1, 1025)
    middle = [sum(np.mean(t) for t in model.terms(n, k, int(each) * k, chains)) for k in many]
    # The minimum is flat: the number of workers is uncertain by the rounding of the terms.
    assert whole(best) == pytest.approx(many[int(np.argmin(middle))], abs=1)
    assert float(least) == pytest.approx(min(middle), abs=0.006)
    ((sent, w_sent, held),) = stated(
        text,
        r"Messages are no limit: ([\d.]+) MB a sweep for (\d+) workers, each of which holds (\d+)",
    )
    assert w_sent == w
    assert Printed.of(sent).reaches(model.message.times(int(row[1]) / 1e6))
    assert int(held) == 8 * n / int(w) / 1e6

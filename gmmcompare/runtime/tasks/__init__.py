"""Where work runs: in this process, on processes of this machine, or on Dask.

Work that may be spread is written once, for any place::

    def replicate(item: Item, progress: Step) -> Result: ...      # a function of a module

    with open_tasks(workers, scheduler) as tasks:                     # the options of a command
        for index, result in tasks.run(replicate, items):             # as they finish
            keep(items[index], result)

What a task draws depends on its item alone (its seed is in it, or derived from it), so the results
are the same wherever and in whatever order tasks run. What is finished is the caller's to keep.

Data that are too large to travel are held, and functions go to them::

        values = tasks.hold(files).then(read)                         # stay where they are read
        total = sum(values.collect(sum_of, where))                    # in the order of the files
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gmmcompare.runtime.tasks.base import (
    Held,
    OutOfTimeError,
    TaskError,
    Tasks,
    Watch,
    in_order,
)
from gmmcompare.runtime.tasks.cluster import open_client
from gmmcompare.runtime.tasks.here import InProcess, Processes
from gmmcompare.runtime.tasks.on_dask import OnDask

__all__ = [
    "Held",
    "InProcess",
    "OnDask",
    "OutOfTimeError",
    "Processes",
    "TaskError",
    "Tasks",
    "Watch",
    "in_order",
    "open_tasks",
]


@contextmanager
def open_tasks(
    workers: int | None = None,
    scheduler: str | None = None,
    jobs: int = 1,
    memory: str | None = None,
) -> Iterator[Tasks]:
    """Yield the place that the options of a command name; what was started for it ends with it.

    Parameters
    ----------
    workers : int, optional
        Start so many Dask workers on this machine.
    scheduler : str, optional
        Use the Dask cluster whose scheduler has this address, such as ``tcp://10.0.0.5:8786``.
    jobs : int
        Where neither is given: processes on this machine, without Dask; 1 is this process.
    memory : str, optional
        Limit of each worker that is started, such as ``"2GB"``; a worker that reaches it is ended
        and its tasks run elsewhere. By default each has its share of the machine's.

    Raises
    ------
    InputError
        If there is no such place.
    """
    if workers is None and scheduler is None:
        yield InProcess() if jobs == 1 else Processes(jobs)
        return
    with open_client(workers, scheduler, memory) as client:
        yield OnDask(client)

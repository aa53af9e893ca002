"""Where independent tasks run: in this process, on processes of this machine, or on Dask.

Work that may be spread is written once, for any place::

    def replicate(item: Item, progress: Progress) -> Result: ...      # a function of a module

    with open_tasks(workers, scheduler) as tasks:                     # the options of a command
        for index, result in tasks.run(replicate, items):             # as they finish
            keep(items[index], result)

What a task draws depends on its item alone (its seed is in it, or derived from it), so the results
are the same wherever and in whatever order tasks run. What is finished is the caller's to keep.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gmmcompare.runtime.tasks.base import (
    OutOfTimeError,
    Progress,
    TaskError,
    Tasks,
    Watch,
    in_order,
)
from gmmcompare.runtime.tasks.cluster import open_client
from gmmcompare.runtime.tasks.here import InProcess, Processes
from gmmcompare.runtime.tasks.on_dask import OnDask

if TYPE_CHECKING:
    from distributed import Client

__all__ = [
    "InProcess",
    "OnDask",
    "OutOfTimeError",
    "Processes",
    "Progress",
    "TaskError",
    "Tasks",
    "Watch",
    "in_order",
    "on_client",
    "on_this_machine",
    "open_tasks",
]


@contextmanager
def open_tasks(
    workers: int | None = None, scheduler: str | None = None, jobs: int = 1
) -> Iterator[Tasks]:
    """Yield the place that the options of a command name.

    Parameters
    ----------
    workers, scheduler
        See `cluster.open_client`; where one is given it counts.
    jobs : int
        Processes on this machine, without Dask; 1 is this process.

    Raises
    ------
    InputError
        If there is no such place.
    """
    if workers is None and scheduler is None:
        yield on_this_machine(jobs)
        return
    with open_client(workers, scheduler) as client:
        yield OnDask(client)


def on_client(client: Client | None) -> Tasks | None:
    """Return the cluster of a client; None where there is no client."""
    return None if client is None else OnDask(client)


def on_this_machine(jobs: int) -> Tasks:
    """Return so many processes, or this one for 1."""
    return InProcess() if jobs == 1 else Processes(jobs)

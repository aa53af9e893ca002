"""Where the partitions of a data set are, and how work gets to them: here, or on Dask workers.

A placement holds one item for each partition, in a fixed order. `Placement.then` replaces every
item, where it is, by a function of it; `Placement.collect` brings a small function of every item
back, in that order. What is computed depends on neither the place nor the number of workers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gmmcompare.model.params import Array
from gmmcompare.runtime.errors import EngineError

if TYPE_CHECKING:
    from distributed import Client, Future


TASKS_PER_WORKER = 4
"""Enough for workers to have about the same to do."""


class Placement(Protocol):
    """Items in places; both methods call ``function(item, index, *arguments)`` for each."""

    @property
    def size(self) -> int:
        """Number of items."""
        ...

    def then(self, function: Callable[..., Any], *arguments: Any) -> Placement:
        """Return a placement of the results, which stay where they are made.

        The placement it is called on is used up, so that old items need not be kept.
        """
        ...

    def collect(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Return the results, in the order of the items."""
        ...


def place(items: Sequence[Any], client: Client | None = None) -> Placement:
    """Place items in this process, or on the workers of a Dask client."""
    return InProcess(list(items)) if client is None else OnDask.of(items, client)


def memory_of(client: Client | None = None) -> float:
    """Return the memory in bytes of this machine, or of all workers of a Dask client together.

    It is infinite where workers have no limit.
    """
    if client is None:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    limits = [w["memory_limit"] for w in client.scheduler_info(n_workers=-1)["workers"].values()]
    return float(sum(limits)) if all(limits) else float("inf")


def sum_in_order(parts: Sequence[Array]) -> Array:
    """Add what was collected, one after another: the same rounding wherever it came from."""
    total = np.zeros_like(parts[0])
    for part in parts:
        total += part
    return total


class InProcess:
    """All items in this process; one thread for each core works through them."""

    def __init__(self, items: list[Any]) -> None:
        self._items = items

    @property
    def size(self) -> int:
        """Number of items."""
        return len(self._items)

    def then(self, function: Callable[..., Any], *arguments: Any) -> InProcess:
        """Replace items one after another, so that there is never a second copy of them all."""

        def replaced(index: int) -> None:
            item, self._items[index] = self._items[index], None
            self._items[index] = function(item, index, *arguments)

        self._each(replaced)
        items, self._items = self._items, []
        return InProcess(items)

    def collect(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Return the results, in the order of the items."""
        return self._each(lambda index: function(self._items[index], index, *arguments))

    def _each(self, work: Callable[[int], Any]) -> list[Any]:
        with ThreadPoolExecutor(min(self.size, os.cpu_count() or 1)) as pool:
            try:
                return list(pool.map(work, range(self.size)))
            except BaseException:
                pool.shutdown(cancel_futures=True)  # on an error or Ctrl-C, the rest is not begun
                raise


class OnDask:
    """Items on the workers of a Dask cluster, made there by tasks, several items in each.

    Tasks are few, because the scheduler takes a millisecond or two for each, one after another.
    Dask knows how every item was made. When a worker is lost, it makes the items that were there
    again, on another one or on its successor, and then repeats the tasks that need them.
    """

    def __init__(
        self, bundles: list[Any], first: list[int], client: Client, names: tuple[str, ...]
    ) -> None:
        self._bundles, self._first, self._client, self._names = bundles, first, client, names

    @classmethod
    def of(cls, items: Sequence[Any], client: Client) -> OnDask:
        """Place items, which go out with the first tasks; their ``str`` names them in messages."""
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        count = min(len(items), TASKS_PER_WORKER * max(workers, 1))
        edges = np.linspace(0, len(items), count + 1).round().astype(int).tolist()
        bundles = [list(items[a:b]) for a, b in pairwise(edges)]
        return cls(bundles, edges[:-1], client, tuple(map(str, items)))

    @property
    def size(self) -> int:
        """Number of items."""
        return len(self._names)

    def then(self, function: Callable[..., Any], *arguments: Any) -> OnDask:
        """Submit the tasks; the results stay on the workers."""
        with self._explained():
            results = self._submit(function, arguments)
        self._bundles = []  # so that workers may forget them
        return OnDask(results, self._first, self._client, self._names)

    def collect(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Return the results, in the order of the items.

        Raises
        ------
        EngineError
            If the cluster is lost, or workers are killed again and again over one item.
        """
        with self._explained():
            bundles = self._client.gather(self._submit(function, arguments))
        return [result for bundle in bundles for result in bundle]

    def _submit(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> list[Future]:
        futures: list[Future] = self._client.map(
            _called,
            self._bundles,
            self._first,
            function=function,
            arguments=arguments,
            key=function.__name__,  # Dask adds a random word and the bundle's number
            pure=False,
        )
        return futures

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what Dask says of lost workers and schedulers into one line."""
        from distributed import KilledWorker

        try:
            yield
        except KilledWorker as killed:
            index = self._first[int(str(killed.task).rpartition("-")[2])]
            raise EngineError(
                f"{self._names[index]}: workers were killed {killed.allowed_failures + 1} times "
                "over this partition or one beside it, most likely for want of memory; give them "
                "more, or write the data in smaller files or row groups"
            ) from None
        except (CancelledError, OSError, TimeoutError, RuntimeError) as lost:
            if self._client.status == "running" and not isinstance(lost, CancelledError):
                raise
            raise EngineError(
                "the Dask scheduler went away in mid-run; start one and run again: a fit that "
                "writes to a folder goes on from its last checkpoint"
            ) from None


def _called(
    items: list[Any], first: int, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> list[Any]:
    return [function(item, first + i, *arguments) for i, item in enumerate(items)]

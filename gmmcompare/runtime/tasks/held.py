"""Data that stay where they are, in this process or on Dask workers, and functions sent to them.

Tasks of `Tasks.run` come back one by one, which on a cluster costs a message or two for each. All
results of `Held.collect` are wanted at once, sweep after sweep, and where they are made matters.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from gmmcompare.runtime.errors import EngineError
from gmmcompare.runtime.tasks.cluster import cluster_lost

if TYPE_CHECKING:
    from distributed import Client, Future


class HeldHere:
    """Items in this process; one thread for each core works through them."""

    def __init__(self, items: list[Any]) -> None:
        self._items = items

    @property
    def size(self) -> int:
        """Number of items."""
        return len(self._items)

    def then(self, function: Callable[..., Any], *arguments: Any) -> HeldHere:
        """Replace items one after another, so that there is never a second copy of them all."""

        def replaced(index: int) -> None:
            item, self._items[index] = self._items[index], None
            self._items[index] = function(item, index, *arguments)

        self._each(replaced)
        items, self._items = self._items, []
        return HeldHere(items)

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


class HeldOnDask:
    """Items on the workers of a cluster, made there by tasks, several items in each.

    Tasks are few, because the scheduler takes a millisecond or two for each, one after another, and
    all are sent and gathered at once. Dask knows how every item was made: when a worker is lost, it
    makes the items that were there again, elsewhere, and repeats the tasks that need them.

    ``bundles`` are lists of items or futures of such lists, ``first`` the indices of their first
    items, ``names`` what items are called in messages.
    """

    def __init__(
        self, client: Client, bundles: list[Any], first: Sequence[int], names: tuple[str, ...]
    ) -> None:
        self._client, self._bundles, self._first, self._names = client, bundles, first, names

    @classmethod
    def of(cls, items: Sequence[Any], client: Client, n_tasks: int) -> HeldOnDask:
        """Return items that stay on the cluster.

        Parameters
        ----------
        items : sequence
        client : distributed.Client
        n_tasks : int
            They are worked on in at most so many tasks.
        """
        count = min(len(items), n_tasks)
        edges = [len(items) * i // count for i in range(count + 1)]
        bundles = [list(items[a:b]) for a, b in pairwise(edges)]
        return cls(client, bundles, edges[:-1], tuple(map(str, items)))

    @property
    def size(self) -> int:
        """Number of items."""
        return len(self._names)

    def then(self, function: Callable[..., Any], *arguments: Any) -> HeldOnDask:
        """Submit the tasks; the results stay on the workers."""
        with self._explained():
            results = self._map(function, arguments)
        self._bundles = []  # so that workers may forget them
        return HeldOnDask(self._client, results, self._first, self._names)

    def collect(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Return the results, in the order of the items; see `Held.collect`."""
        with self._explained():
            bundles = self._client.gather(self._map(function, arguments))
        return [result for bundle in bundles for result in bundle]

    def _map(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> list[Future]:
        futures: list[Future] = self._client.map(
            _of_each,
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
        """Say in one line what became of workers and schedulers."""
        from distributed import KilledWorker

        try:
            with cluster_lost(self._client, EngineError):
                yield
        except KilledWorker as killed:
            index = self._first[int(str(killed.task).rpartition("-")[2])]
            raise EngineError(
                f"{self._names[index]}: workers were killed {killed.allowed_failures + 1} times "
                "over this partition or one beside it, most likely for want of memory; give them "
                "more, or write the data in smaller files or row groups"
            ) from None


def _of_each(
    items: list[Any], first: int, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> list[Any]:
    return [function(item, first + i, *arguments) for i, item in enumerate(items)]

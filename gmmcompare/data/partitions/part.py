"""A random part of data in partitions, small enough to be an ordinary sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gmmcompare.data.partitions.pieces import PartitionedFiles
from gmmcompare.model.params import Array
from gmmcompare.model.sample import Origin, Sample, random_ranks
from gmmcompare.runtime.tasks import InProcess, Tasks


def random_part(files: PartitionedFiles, n: int, seed: int, tasks: Tasks | None = None) -> Sample:
    """Return n of the values of all partitions, chosen at random, as an ordinary sample.

    Parameters
    ----------
    files : PartitionedFiles
    n : int
    seed : int
    tasks : Tasks, optional
        Where partitions are read; by default in this process.

    Raises
    ------
    InputError
        If a partition cannot be used, or there are fewer than n values.
    EngineError
        If the cluster is lost.
    """
    read = files.read(tasks or InProcess())
    first = np.concatenate([[0], np.cumsum(read.collect(size_of))])
    size = int(first[-1])
    y = np.concatenate(read.collect(at_ranks, random_ranks(size, n, seed, files.pattern), first))
    origin = Origin(name=files.name, source=files.pattern, label=files.label)
    return Sample.of(y, origin.as_random_part(n, size, seed))


def at_ranks(
    sample: Sample, index: int, ranks: NDArray[np.int64], first: NDArray[np.int64]
) -> Array:
    """Return a partition's observations at some ranks among all, which go through it in order.

    Parameters
    ----------
    sample : Sample
        The partition's values.
    index : int
        Of the partition, p.
    ranks : ndarray of int, shape (R,)
        Ascending, from 0, among the observations of all partitions one after another.
    first : ndarray of int, shape (P + 1,)
        The first rank of each partition, and at its end the number of all observations.

    Returns
    -------
    ndarray
        One value for each rank from ``first[p]`` to ``first[p + 1] - 1``.
    """
    own = ranks[np.searchsorted(ranks, first[index]) : np.searchsorted(ranks, first[index + 1])]
    place_of = np.searchsorted(np.cumsum(sample.counts), own - first[index], side="right")
    return np.asarray(sample.values[place_of])


def size_of(sample: Sample, index: int) -> int:
    """Return a partition's number of observations."""
    return sample.n

"""The state of a long run on disk, so that it can go on where it was interrupted."""

from __future__ import annotations

import logging
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmcompare.runtime.files import replacing

EVERY_SECONDS = 5.0

log = logging.getLogger("gmmcompare")


class Checkpoint:
    """A file with named arrays that belongs to one run.

    Parameters
    ----------
    path : Path or None
        With None nothing is kept.
    key : str
        Identifies the run: the fit's hash of data, model, settings, seed and version. A file with
        another key is not this run's, and is written over.
    every : float, optional
        Seconds between writes; by default `EVERY_SECONDS`.
    """

    def __init__(self, path: Path | None, key: str, every: float | None = None) -> None:
        self.path, self._key = path, key
        self._every = EVERY_SECONDS if every is None else every
        self._written = time.monotonic()

    @classmethod
    def nowhere(cls) -> Checkpoint:
        """Return a checkpoint that keeps nothing."""
        return cls(None, "")

    def load(self) -> dict[str, NDArray[Any]] | None:
        """Return the arrays that were saved, or None where there are none of this run."""
        if self.path is None or not self.path.is_file():
            return None
        try:
            with self.path.open("rb") as file, np.load(file) as stored:
                arrays = dict(stored)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            log.warning("%s is damaged; starting again", self.path)
            return None
        if str(arrays.pop("key", "")) != self._key:
            return None
        log.warning("going on from %s", self.path)
        return arrays

    def save(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write the arrays, unless they were written a few seconds ago.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        if self.path is None or time.monotonic() - self._written < self._every:
            return
        with replacing(self.path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, key=np.array(self._key), **arrays)
        self._written = time.monotonic()

    def discard(self) -> None:
        """Remove the file: the run is finished."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

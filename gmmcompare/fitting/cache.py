"""Finished fits by key, in one folder for all commands; and what the key is made of."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from contextlib import suppress
from pathlib import Path

from gmmcompare._version import __version__
from gmmcompare.engines.base import Engine, Problem
from gmmcompare.engines.checkpoint import Checkpoint
from gmmcompare.fitting.fit import Fit, key_in, load_fit
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import cache_folder, make_folder, replacing

MOST_BYTES = 2_000_000_000
"""Beyond it the fits that were not used for the longest time are dropped."""

log = logging.getLogger("gmmcompare")


def fit_key(problem: Problem, engine: Engine, seed: int, starts_key: str = "") -> str:
    """Return the hash of all that a fit depends on.

    Parameters
    ----------
    problem : Problem
    engine : Engine
        Of which name and settings count.
    seed : int
    starts_key : str, optional
        Key of the fit whose solutions are the problem's starts.
    """
    content = {
        "version": __version__,
        "data": problem.sample.fingerprint,
        "components": problem.K,
        "priors": problem.priors.to_dict(),
        "engine": engine.name,
        "settings": dict(engine.settings),
        "seed": seed,
        "starts": starts_key,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class FitCache:
    """A folder of finished fits, ``KEY.nc``, and of the states of unfinished ones.

    Parameters
    ----------
    folder : Path or None
        Made when it is first written to. With None nothing is kept; nor is it, after a warning,
        where the folder cannot be written.
    fresh : bool
        Take nothing from the cache, and keep what is fitted instead.
    most_bytes : int
        What all files together may take.
    """

    def __init__(
        self, folder: Path | None = None, fresh: bool = False, most_bytes: int = MOST_BYTES
    ) -> None:
        self._folder, self._fresh, self._most_bytes = folder, fresh, most_bytes

    def get(self, key: str) -> Fit | None:
        """Return the fit of a key; None where there is none, or it is damaged."""
        path = self._path(key)
        if path is None or self._fresh or not path.is_file():
            return None
        try:
            fit = load_fit(path)
            if fit.key != key:
                raise InputError(f"{path}: is the fit of another key")
        except InputError as error:
            log.warning("%s; fitting again", str(error).partition(";")[0])
            return None
        _touch(path)
        return fit

    def put(self, fit: Fit) -> None:
        """Keep a fit under its key, and drop old ones if all take too much."""
        path = self._path(fit.key)
        if path is None or not self._is_writable():
            return
        try:
            fit.save(path)
        except InputError as error:  # a full disk is no reason to lose the fit
            log.warning("a fit is not kept: %s", error)
            return
        self._prune(path)

    def deliver(self, fit: Fit, path: Path) -> None:
        """Put a fit into an output folder: as a hard link if that can be, else written.

        A file that has the same key is left alone; draws may have been aligned in it.

        Raises
        ------
        InputError
            If the output folder cannot be written.
        """
        if key_in(path) == fit.key:
            return
        kept = self._path(fit.key)
        try:
            if kept is None:
                raise FileNotFoundError
            with replacing(path) as temporary:
                temporary.hardlink_to(kept)
        except (OSError, InputError):  # another disk, or nothing is kept
            fit.save(path)

    def checkpoint(self, key: str) -> Checkpoint:
        """Return where the state of a long run is kept, so that it can go on."""
        path = self._path(key)
        if path is None or not self._is_writable():
            return Checkpoint.nowhere()
        checkpoint = Checkpoint(path.with_suffix(".checkpoint.npz"), key)
        if self._fresh:
            checkpoint.discard()
        return checkpoint

    def _path(self, key: str) -> Path | None:
        return self._folder / f"{key}.nc" if self._folder and key else None

    def _is_writable(self) -> bool:
        """Make the folder; where it cannot be written, say so once and go on without it."""
        if self._folder is None:
            return False
        try:
            make_folder(self._folder, "set GMMCOMPARE_CACHE to a folder that can")
        except InputError as error:
            log.warning("fits are not kept: %s", error)
            self._folder = None
        return self._folder is not None

    def _prune(self, newest: Path) -> None:
        """Drop the files that were not used for the longest time, but never the newest."""
        found = sorted(_used(path) for path in newest.parent.iterdir() if path != newest)
        total = newest.stat().st_size + sum(size for _, size, _ in found)
        for _, size, path in found:
            if total <= self._most_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size


NOTHING_KEPT = FitCache()


def user_cache(fresh: bool = False) -> FitCache:
    """Return the user's cache of fits, which ``GMMCOMPARE_CACHE`` moves."""
    return FitCache(cache_folder() / "fits", fresh)


def _used(path: Path) -> tuple[int, int, Path]:
    """Return when a file was last used (read or written), and its size."""
    try:
        stat = path.stat()
    except OSError:  # another process has just removed it
        return 0, 0, path
    return max(stat.st_atime_ns, stat.st_mtime_ns), stat.st_size, path


def _touch(path: Path) -> None:
    """Note that a file was used; when it was written stays, also of its hard links."""
    with suppress(OSError):  # somebody else's folder
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))

"""Clients of Dask: of workers started here, or of a cluster elsewhere, and of one that is lost.

Dask is an optional extra (``gmmcompare[dask]``), imported here and only when asked for.
"""

from __future__ import annotations

import importlib.metadata
import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gmmcompare.runtime.errors import GmmCompareError, InputError
from gmmcompare.runtime.tasks.base import one_line

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 10
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_IGNORE_INTERRUPTS = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""Workers hear Ctrl-C at a terminal too; this process ends them, in order and quietly."""
_MUST_MATCH = ("gmmcompare", "numpy", "scipy", "numba")
"""Packages on which draws depend; Dask compares its own."""

log = logging.getLogger("gmmcompare")


@contextmanager
def open_client(
    workers: int | None, scheduler: str | None, memory_limit: str | None = None
) -> Iterator[Client]:
    """Yield a client of a local cluster, which ends with the block, or of one that is running.

    Parameters
    ----------
    workers : int or None
        Start so many worker processes of one thread each, reachable from this machine only.
    scheduler : str or None
        Address of a running scheduler, such as ``tcp://10.0.0.5:8786``.
    memory_limit : str, optional
        Of each worker of a local cluster, such as ``"2GB"``; a worker that reaches it is ended and
        its tasks run elsewhere. By default each has its share of the machine's.

    Yields
    ------
    distributed.Client

    Raises
    ------
    InputError
        If neither or both of ``workers`` and ``scheduler`` are given, Dask is not installed, the
        workers cannot be started, or the scheduler cannot be reached or has no workers.
    """
    check_place(workers, scheduler)
    distributed = _import_distributed()
    with _quiet():
        if scheduler is not None:
            with _connected(distributed, scheduler) as client:
                _check_workers(client, scheduler)
                yield client
        else:
            with _started(distributed, workers, memory_limit) as client:
                yield client


def check_place(workers: int | None, scheduler: str | None) -> None:
    """Check the options ``--workers`` and ``--scheduler``, exactly one of which must be given.

    Raises
    ------
    InputError
        If they are not usable.
    """
    if (workers is None) == (scheduler is None):
        raise InputError(
            "--workers, --scheduler: give one of them: --workers N starts workers on this machine, "
            "--scheduler tcp://HOST:PORT uses a cluster that is running"
        )
    if workers is not None and workers < 1:
        raise InputError(f"--workers {workers}: give 1 or more")


def _import_distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise InputError(
            "--workers and --scheduler need Dask, which is not installed; install it by "
            "pip install 'gmmcompare[dask]'"
        ) from None
    return distributed


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own log of workers that come and go off stderr; faults are raised here."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextmanager
def _started(distributed: Any, workers: int | None, memory_limit: str | None) -> Iterator[Client]:
    try:
        cluster = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # any free port: several clusters may run
            memory_limit=memory_limit or "auto",
            silence_logs=logging.CRITICAL,
            env=_ONE_THREAD,
            preload=_IGNORE_INTERRUPTS,
        )
    except (OSError, RuntimeError, TimeoutError, ValueError) as error:
        raise InputError(
            f"--workers {workers}: cannot be started here ({one_line(error)}); ask for fewer, or "
            "leave the option out"
        ) from None
    with cluster, distributed.Client(cluster) as client:
        yield client


@contextmanager
def _connected(distributed: Any, scheduler: str) -> Iterator[Client]:
    try:
        _reach(distributed, scheduler)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"--scheduler {scheduler}: cannot be reached "
            f"({one_line(error)}); give the address that `dask scheduler` printed, such as "
            "tcp://10.0.0.5:8786"
        ) from None
    with distributed.Client(scheduler) as client:
        yield client


def _reach(distributed: Any, scheduler: str) -> None:
    """Shake hands once: a client that fails to connect leaves its threads behind."""
    arguments = distributed.Security().get_connection_args("client")

    async def shake_hands() -> None:
        comm = await distributed.core.connect(scheduler, timeout=CONNECT_SECONDS, **arguments)
        await comm.close()

    runner = distributed.utils.LoopRunner()
    runner.start()
    try:
        runner.run_sync(shake_hands)
    finally:
        runner.stop()


def _check_workers(client: Client, scheduler: str) -> None:
    """Check that there are workers and that they have this package; warn of other versions."""
    if not client.scheduler_info(n_workers=-1)["workers"]:
        raise InputError(
            f"--scheduler {scheduler}: has no workers; start some by `dask worker {scheduler}`"
        )
    for name in _MUST_MATCH:
        version = _version_here(name)
        for worker, found in _versions_there(client, name).items():
            if isinstance(found, Exception):
                raise InputError(
                    f"--scheduler {scheduler}: its worker {worker} has no {name}; install "
                    f"gmmcompare {_version_here('gmmcompare')} there as here"
                )
            if found != version:
                log.warning(
                    "%s: worker %s has %s %s, here is %s: draws may differ",
                    scheduler, worker, name, found, version,
                )  # fmt: skip


def _version_here(name: str) -> str:
    return importlib.metadata.version(name)


def _versions_there(client: Client, name: str) -> dict[str, Any]:
    """Return each worker's version, or an error, asked with what every Python has."""
    found: dict[str, Any] = client.run(importlib.metadata.version, name, on_error="return")
    return found


@contextmanager
def cluster_lost(client: Client, kind: type[GmmCompareError]) -> Iterator[None]:
    """Raise an error of this kind, in one line, where a client has lost its scheduler."""
    from distributed.comm import CommClosedError

    try:
        yield
    except (CancelledError, OSError, RuntimeError) as error:
        if client.status == "running" and not isinstance(error, CancelledError | CommClosedError):
            raise
        raise kind(
            "the cluster is gone: its Dask scheduler went away in mid-run; start one and give the "
            "command again: what is finished is kept, and a fit that writes to a folder goes on "
            "from its last checkpoint"
        ) from None

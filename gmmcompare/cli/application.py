"""The application: how errors become one line and an exit code."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gmmcompare._version import __version__
from gmmcompare.cli.streams import stand_fast
from gmmcompare.runtime.errors import GmmCompareError

EXIT_CODES = {"agree": 0, "passed": 0, "disagree": 1, "failed": 1, "inconclusive": 3}
BAD_INPUT = 2
INTERRUPTED = 130


class _Commands(TyperGroup):
    """Turns our errors into one line on stderr and the exit code that goes with them."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            with heeding_interrupts():
                return super().invoke(ctx)
        except GmmCompareError as error:
            _complain(str(error))
            raise typer.Exit(BAD_INPUT) from None
        except KeyboardInterrupt:
            _complain("interrupted; finished fits and replicates in an output folder are kept")
            raise typer.Exit(INTERRUPTED) from None
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            # Not the user's fault, but a traceback would not help the user either.
            if type(error).__module__.startswith(("click", "typer")):
                raise
            _complain(
                f"internal error, please report it: {type(error).__name__}: {error}; "
                f"its traceback is in {_traceback_file(error)}"
            )
            raise typer.Exit(BAD_INPUT) from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Gibbs, EM and NUTS for Gaussian mixtures side by side, and whether a sampler is correct.",
    epilog="Exit codes: 0 agree or passed, 1 disagree or failed, 3 inconclusive, 2 bad input, "
    "130 interrupted.",
)


def main() -> None:
    """Run the command line."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # chains are the parallel unit
    stand_fast()
    app()


@contextmanager
def heeding_interrupts() -> Iterator[None]:
    """Send Ctrl-C again where Python drops it: what a finalizer raises is printed and forgotten.

    Dask finalizes futures whenever a task has finished, just when somebody may lose patience.
    """
    before = sys.unraisablehook

    def again(dropped: sys.UnraisableHookArgs) -> None:
        if not issubclass(dropped.exc_type, KeyboardInterrupt):
            before(dropped)
            return
        main_thread = threading.main_thread().ident or 0
        # Not at once: it would be raised in this hook, and dropped again.
        threading.Timer(0.05, signal.pthread_kill, (main_thread, signal.SIGINT)).start()

    sys.unraisablehook = again
    try:
        yield
    finally:
        sys.unraisablehook = before


def _complain(message: str) -> None:
    typer.echo(f"gmmcompare: {message}", err=True)


def _traceback_file(error: Exception) -> str:
    with tempfile.NamedTemporaryFile(
        "w", prefix="gmmcompare-", suffix=".log", delete=False
    ) as file:
        file.write("".join(traceback.format_exception(error)))
    return file.name


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gmmcompare {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    from gmmcompare.cli.progress import show_notices

    show_notices()

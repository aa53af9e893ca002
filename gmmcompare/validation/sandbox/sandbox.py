"""Child processes in which the user's code runs, with a time limit for every call.

It is the user's code, run with the user's rights: a child process keeps a hang, an exit or a crash
from ending the test, and what is printed from mixing with the results. It is no protection from
code that means harm.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from gmmcompare.runtime.tasks import OutOfTimeError
from gmmcompare.validation.sandbox.child import ALIVE, Reply, Task
from gmmcompare.validation.sandbox.subject import BrokenError, SubjectKind
from gmmcompare.validation.sandbox.target import Target

_STARTUP_SECONDS = 120.0
_CHILD = "from gmmcompare.validation.sandbox.child import main; main()"


class TaskRunner(Protocol):
    """What the checks need: tasks are done with the sampler, somewhere."""

    def run(self, tasks: Sequence[Task]) -> Iterator[Any]:
        """Do tasks and yield their results in order."""
        ...


class Sandbox:
    """A few child processes that hold one sampler; a context manager.

    Parameters
    ----------
    target : Target
    jobs : int
        Number of processes.
    call_limit : float
        Seconds after which a call that has not returned counts as hanging.
    deadline : float
        ``time.monotonic()`` at which `run` raises `OutOfTimeError`.
    """

    def __init__(
        self, target: Target, jobs: int, call_limit: float, deadline: float = float("inf")
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gmmcompare-")
        self._target, self._jobs = target.placed_in(Path(self._folder.name)), jobs
        self.call_limit, self._deadline = call_limit, deadline
        self.log = Path(self._folder.name) / "printed.log"
        self.warnings: list[str] = []
        self._workers: list[_Worker] = []

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        place: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.end()
        self._folder.cleanup()

    @property
    def printed(self) -> str:
        """What the user's code printed so far."""
        if not self.log.is_file():
            return ""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def start(self) -> SubjectKind:
        """Start the first process and load the sampler; return what it is.

        Raises
        ------
        GmmCompareError
            If it cannot be found or imported, or its arguments are neither a kernel's nor a
            sampler's.
        """
        kind: SubjectKind = self._add_worker()
        return kind

    def restrict(self, jobs: int) -> None:
        """Use at most so many processes from now on."""
        self._jobs = jobs

    def run(self, tasks: Sequence[Task]) -> Iterator[Any]:
        """Do tasks on all processes and yield their results in order.

        Raises
        ------
        BrokenError
            If the user's code fails in a task.
        OutOfTimeError
            If the deadline passes.
        """
        while len(self._workers) < min(self._jobs, len(tasks)):
            self._add_worker()
        workers = self._workers[: self._jobs]
        waiting = list(enumerate(tasks))[::-1]
        busy: dict[int, _Worker] = {}
        ready: dict[int, Any] = {}
        try:
            for index in range(len(tasks)):
                while index not in ready:
                    free = [w for w in workers if w not in busy.values()]
                    for worker in free:
                        if waiting:
                            number, task = waiting.pop()
                            worker.send(task)
                            busy[number] = worker
                    for number, worker in list(busy.items()):
                        reply = worker.poll(self.call_limit, self._deadline)
                        if reply is not None:
                            ready[number] = self._value(reply)
                            del busy[number]
                yield ready.pop(index)
        finally:
            # Left early: what is still under way would answer the next tasks in their place.
            for worker in busy.values():
                worker.end()
                self._workers.remove(worker)

    def _add_worker(self) -> Any:
        worker = _Worker(self._target, self.log)
        self._workers.append(worker)
        while True:
            reply = worker.poll(self.call_limit, self._deadline)
            if reply is not None:
                return self._value(reply)

    def _value(self, reply: Reply) -> Any:
        self.warnings = list(dict.fromkeys([*self.warnings, *reply.warnings]))
        if reply.error is not None:
            raise reply.error
        return reply.value


class _Worker:
    """One child process; a thread reads its replies so that waiting can have a limit."""

    def __init__(self, target: Target, log: Path) -> None:
        self._name = Path(target.name).name
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-c", _CHILD, str(log)]
        package_root = str(Path(__file__).resolve().parents[3])
        paths = [package_root, environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(p for p in paths if p)
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self._replies: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._heard, self._starting = time.monotonic(), True
        self.send(sys.path)
        self.send(target)

    def send(self, what: Any) -> None:
        """Send a pickle; until the child answers it may be busy with imports."""
        self._heard, self._starting = time.monotonic(), True
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # its end is found by the next poll
            pickle.dump(what, self._process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()

    def poll(self, limit: float, deadline: float) -> Reply | None:
        """Wait a moment for a reply; None where there is none yet.

        Raises
        ------
        BrokenError
            If nothing was heard for ``limit`` seconds, or the process ended.
        OutOfTimeError
            If the deadline has passed.
        """
        try:
            what = self._replies.get(timeout=0.02)
        except queue.Empty:
            now = time.monotonic()
            if self._starting:
                limit = max(limit, _STARTUP_SECONDS)
            if now - self._heard > limit:
                self.end()
                raise BrokenError(
                    f"{self._name}: a call did not return within {limit:g} s and was stopped: "
                    "it hangs, or is too slow (allow more with call_limit)",
                    "hangs",
                ) from None
            if now > deadline:
                raise OutOfTimeError("the time allowed is used up") from None
            return None
        self._heard, self._starting = time.monotonic(), False
        if isinstance(what, Reply):
            return what
        if what == ALIVE:
            return None
        code = self._process.wait()
        raise BrokenError(
            f"{self._name}: ended the process it ran in (exit code {code}); a sampler returns, "
            "it does not end the program",
            "exited",
        )

    def end(self) -> None:
        """Stop the process."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while True:
            try:
                self._replies.put(pickle.load(self._process.stdout))
            except Exception:  # whatever it is, nothing more can be read
                self._replies.put(None)
                return

"""Run the code blocks of a page, in order, in a folder of its own, and keep what they print.

The site shows these outputs and the tests demand that every block ends as the page says. Outcomes
are stored by the blocks and the version, as fits are: after a change of the package `make clean`
forgets them. A fresh clone has none.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gmmcompare import __version__

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
STORE = DOCS / "_build" / "runs"
TIME_LIMIT = 600
_FENCE = re.compile(
    r"^```\{(?P<what>run|file)\}[ ]*(?P<argument>\S*)[ ]*\n(?P<body>.*?)^```[ ]*$", re.M | re.S
)
_OPTION = re.compile(r":([a-z]+):[ ]*(.*)\n")


@dataclass(frozen=True)
class Block:
    """One block of a page: commands, Python, or a file to be written."""

    what: str
    """``sh``, ``python`` or ``file``."""
    name: str
    content: str
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Output:
    """What a block printed (after each command, if it is of commands), and its figures (SVG)."""

    texts: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """All outputs of a page; ``pages`` are HTML files that it keeps, by name."""

    outputs: tuple[Output, ...]
    pages: dict[str, str]


def blocks_of(text: str) -> list[Block]:
    """Return the runnable blocks of a page, in order."""
    return [
        block_of(m["what"], m["argument"], *_options_and_body(m["body"]))
        for m in _FENCE.finditer(text)
    ]


def block_of(what: str, argument: str, options: dict[str, str], body: str) -> Block:
    """Return a block; a file may be taken from the project (``:from:``)."""
    if what == "file":
        if "from" in options:
            body = (ROOT / options["from"]).read_text(encoding="utf-8")
        return Block("file", argument, body, options)
    return Block(argument, "", body, options)


def _options_and_body(text: str) -> tuple[dict[str, str], str]:
    options = {}
    while found := _OPTION.match(text):
        options[found[1]] = found[2].strip()
        text = text[found.end() :]
    return options, text.lstrip("\n")


def outcome_of(blocks: Sequence[Block]) -> Outcome:
    """Return what the blocks print: from the store, or by running them.

    Raises
    ------
    RuntimeError
        If a block ends otherwise than its page says.
    """
    kept = STORE / f"{_fingerprint(blocks)}.json"
    if kept.is_file():
        found = json.loads(kept.read_text(encoding="utf-8"))
        return Outcome(tuple(Output(**output) for output in found["outputs"]), found["pages"])
    outcome = run(blocks)
    STORE.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(asdict(outcome)), encoding="utf-8")
    partial.replace(kept)
    return outcome


def _fingerprint(blocks: Sequence[Block]) -> str:
    return hashlib.sha256(repr((__version__, blocks)).encode()).hexdigest()[:20]


def run(blocks: Sequence[Block]) -> Outcome:
    """Run blocks in a new folder with an empty cache of fits."""
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GMMCOMPARE_CACHE": str(here / ".cache"),
            "COLUMNS": "100",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MPLBACKEND": "agg",
        }
        session = _Session(here, environment)
        try:
            outputs = tuple(_output(block, here, environment, session) for block in blocks)
        finally:
            session.close()
        kept = [b.options["keep"] for b in blocks if "keep" in b.options]
        pages = {path: (here / path).read_text(encoding="utf-8") for path in kept}
        return Outcome(outputs, pages)


def _output(block: Block, here: Path, environment: dict[str, str], session: _Session) -> Output:
    if block.what == "file":
        path = here / block.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.content, encoding="utf-8")
        return Output()
    if block.what == "python":
        return session.run(block.content, int(block.options.get("exit", 0)))
    if block.what != "sh":
        raise RuntimeError(f"cannot run {block.what!r}: a block is of sh or python")
    expected = int(block.options.get("exit", 0))
    lines = commands_of(block.content)
    return Output(tuple(_shell(line, here, environment, expected) for line in lines))


def commands_of(content: str) -> list[str]:
    """Return the commands of a block; a line that ends with a backslash goes on in the next."""
    return [c for c in content.replace("\\\n", "\0").splitlines() if c.strip()]


def _shell(line: str, here: Path, environment: dict[str, str], expected: int) -> str:
    command = line.replace("\0", " ")
    done = subprocess.run(
        ["bash", "-c", command], cwd=here, env=environment, capture_output=True, text=True,
        timeout=TIME_LIMIT,
    )  # fmt: skip
    if done.returncode != expected:
        raise RuntimeError(
            f"{command}: exit code {done.returncode}, not {expected}\n{done.stdout}{done.stderr}"
        )
    return _clean(done.stdout + (done.stderr if expected == 2 else ""), here)


def _clean(text: str, here: Path) -> str:
    return text.replace(f"{here}/", "").replace(str(here), ".").rstrip()


class _Session:
    """One Python for all blocks of a page, started when the first needs it."""

    def __init__(self, here: Path, environment: dict[str, str]) -> None:
        self.here, self.environment = here, environment
        self.process: subprocess.Popen[str] | None = None

    def run(self, code: str, expected: int) -> Output:
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("session.py")], cwd=self.here,
                env=self.environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(code), file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        if answer["failed"] and not expected:
            raise RuntimeError(f"{code}\n{answer['text']}")
        return Output((_clean(answer["text"], self.here),), tuple(answer["figures"]))

    def close(self) -> None:
        if self.process is not None:
            assert self.process.stdin
            self.process.stdin.close()
            assert self.process.stdout
            self.process.wait()
            self.process.stdout.close()

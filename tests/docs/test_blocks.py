"""Every block of code in README and on the site runs, and ends as its page says.

Blocks that are run when the site is built are run here as well. All others are commands that need a
network, a cluster or a file of yours: their arguments are parsed.
"""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from gmmcompare.cli import app

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = sorted(
    p for p in DOCS.rglob("*.md") if not {"_build", "measured"} & {*p.relative_to(DOCS).parts[:-1]}
)
QUICK = ("methods/exact.md",)
PLAIN = re.compile(r"^```(sh|python|toml|json)\n(.*?)^```$", re.M | re.S)


def plain_blocks(path: Path, language: str) -> Iterator[str]:
    for found in PLAIN.finditer(path.read_text(encoding="utf-8")):
        if found[1] == language:
            yield found[2]


def runnable() -> list[object]:
    from running import blocks_of

    found = [p for p in PAGES if blocks_of(p.read_text(encoding="utf-8"))]
    names = [str(p.relative_to(DOCS)) for p in found]
    assert {*QUICK} <= {*names}
    return [
        pytest.param(p, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for p, name in zip(found, names, strict=True)
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", runnable())


def test_every_block_of_a_page_ends_as_the_page_says(page: Path) -> None:
    from running import blocks_of, outcome_of

    blocks = blocks_of(page.read_text(encoding="utf-8"))
    assert len(outcome_of(blocks).outputs) == len(blocks)


def commands_in(path: Path) -> Iterator[list[str]]:
    for block in plain_blocks(path, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


@pytest.mark.parametrize("path", [README, *PAGES], ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_that_are_only_shown_could_be_typed(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for program, *arguments in commands_in(path):
        if program == "gmmcompare":
            parsed(arguments)
        elif program == "make":
            assert re.search(rf"^{arguments[0]}:", makefile, re.M), arguments
        else:
            assert program in ("pip", "git", "cd", "source", "pipx"), program


def parsed(arguments: list[str]) -> None:
    """Parse the arguments of a command without running it."""
    command: object = typer.main.get_command(app)
    while (commands := getattr(command, "commands", None)) is not None:
        name, *arguments = arguments
        command = commands[name]
    command.make_context("gmmcompare", list(arguments))  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", [README, *PAGES], ids=lambda p: str(p.relative_to(ROOT)))
def test_python_and_toml_that_are_only_shown_can_be_read(path: Path) -> None:
    for block in plain_blocks(path, "python"):
        ast.parse(block)
    for block in plain_blocks(path, "toml"):
        tomllib.loads(block)


def test_the_examples_are_those_of_the_readme() -> None:
    """They are run on the site, and the README's own by `tests/test_readme.py`."""
    shown = [block.partition("\n")[2] for block in plain_blocks(README, "python")]
    for name in ("my_gibbs.py", "regression.py"):
        assert (ROOT / "examples" / name).read_text(encoding="utf-8") in shown


@pytest.mark.slow
def test_the_commands_of_the_readme_run() -> None:
    """Those that need nothing but the README's own files; `.ci/run` makes its two targets."""
    from running import Block, run

    files = [
        Block("file", name, (ROOT / "examples" / name).read_text(encoding="utf-8"))
        for name in ("my_gibbs.py", "regression.py")
    ]
    lines = [" ".join(words) for words in commands_in(README) if words[0] == "gmmcompare"]
    quick = [line for line in lines if "--mutants" not in line]
    assert len(quick) > 4
    # The exit code of a comparison is its verdict: this sampler is slow, and 3 says inconclusive.
    allowed = [f"{line} || test $? = 3" if " compare " in line else line for line in quick]
    run([*files, *(Block("sh", "", line) for line in allowed)])

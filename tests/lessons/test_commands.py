"""The commands that the pages state are ones that the command line takes."""

from __future__ import annotations

import shlex

import pytest

from gmmcompare.cli import app
from gmmcompare.engines.base import BUILT_IN
from gmmcompare.lessons import LESSONS, pages
from gmmcompare.model.card import load_card
from gmmcompare.validation.faults.catalogue import fault

COMMANDS = [
    pytest.param(command, id=f"{name}-{i}")
    for name in LESSONS
    for i, command in enumerate(pages.lesson_module(name).COMMANDS)
]


@pytest.mark.parametrize("command", COMMANDS)
def test_card_engines_and_overrides_of_a_command_are_valid(command: str) -> None:
    program, verb, subject, *options = shlex.split(command)
    assert program == "gmmcompare"
    assert verb in {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}
    if verb == "validate":
        fault(subject)
        return
    given = list(zip(options[::2], options[1::2], strict=True))
    assert {flag for flag, _ in given} <= {"--set", "--engine", "--engines"}
    load_card(subject, [value for flag, value in given if flag == "--set"])
    engines = [v for flag, v in given if flag != "--set"]
    assert all(engine in BUILT_IN for value in engines for engine in value.split(","))

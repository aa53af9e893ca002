"""What CONTRIBUTING.md says of the layout is how the project is laid out."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_the_drawing_is_the_contract_of_imports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (layers,) = (c["layers"] for c in contracts if c["containers"] == ["gmmcompare"])
    (drawing,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    drawn = [re.split(r" {3,}", line.strip())[0] for line in drawing.splitlines()]
    assert drawn == layers


def test_files_that_are_named_are_there() -> None:
    named = re.findall(r"`((?:gmmcompare|tests|reports|models|data)/[\w./-]*\w/?)`", TEXT)
    assert len(named) > 50
    placeholders = [path for path in named if re.search(r"NAME|FOLDER|MODULE", path)]
    outputs = ["reports/lessons/", "reports/fault-gallery/"]
    known = {*placeholders, *outputs}
    assert [path for path in named if path not in known and not (ROOT / path).exists()] == []

"""What a user installs: a wheel with types, cards and data, of one version everywhere."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import yaml

import gmmcompare

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
YAML = [
    ROOT / "CITATION.cff",
    ROOT / ".pre-commit-config.yaml",
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Return the project's wheel, built as pip would build it but without a second environment."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_whatever_the_package_needs(wheel: zipfile.ZipFile) -> None:
    package = ROOT / "gmmcompare"
    own = [p for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    wanted = {str(p.relative_to(ROOT)) for p in own}
    for kind, pattern in (("models", "*.toml"), ("data", "*.csv")):
        bundled = list((ROOT / kind).glob(pattern))
        assert bundled
        wanted |= {f"gmmcompare/_bundled/{kind}/{p.name}" for p in bundled}
    assert wanted - set(wheel.namelist()) == set()


def test_the_wheel_says_that_it_is_typed(wheel: zipfile.ZipFile) -> None:
    assert "gmmcompare/py.typed" in wheel.namelist()


def test_the_wheel_brings_nothing_else(wheel: zipfile.ZipFile) -> None:
    info = f"gmmcompare-{gmmcompare.__version__}.dist-info"
    assert {name.partition("/")[0] for name in wheel.namelist()} == {"gmmcompare", info}
    assert not [name for name in wheel.namelist() if "__pycache__" in name]


def test_metadata_name_the_tested_pythons_and_where_to_turn(wheel: zipfile.ZipFile) -> None:
    info = f"gmmcompare-{gmmcompare.__version__}.dist-info"
    metadata = message_from_bytes(wheel.read(f"{info}/METADATA"))
    tested = {f"Programming Language :: Python :: {v}" for v in pythons_of_the_workflow()}
    assert tested <= set(metadata.get_all("Classifier", []))
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
    labels = {url.partition(",")[0] for url in metadata.get_all("Project-URL", [])}
    assert {"Source", "Issues", "Changelog"} <= labels


def test_one_version_everywhere() -> None:
    """A release changes `_version.py`, the changelog's newest heading and the citation together."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    newest = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    assert newest
    assert newest[1] == gmmcompare.__version__
    assert citation()["version"] == gmmcompare.__version__


def test_the_citation_dates_a_release_and_nothing_else() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    heading = next(line for line in changelog.splitlines() if line.startswith("## "))
    released = re.search(r"\d{4}-\d{2}-\d{2}", heading)
    date = citation().get("date-released")
    assert str(date) == released[0] if released else date is None


@pytest.mark.parametrize("path", YAML, ids=lambda p: p.name)
def test_configuration_for_other_programs_is_yaml(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text("utf-8")), dict)


def citation() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    return found


def pythons_of_the_workflow() -> list[str]:
    """Return the Pythons of the workflow's test matrix."""
    text = (ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8")
    versions: list[str] = yaml.safe_load(text)["jobs"]["test"]["strategy"]["matrix"]["python"]
    return versions

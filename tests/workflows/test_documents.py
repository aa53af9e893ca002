"""The published schema of the JSON files is kept by what commands write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from pydantic import BaseModel

import gmmcompare as gc
from gmmcompare.runtime.files import to_json
from gmmcompare.validation.run import validate
from gmmcompare.workflows.agree import agree_files
from gmmcompare.workflows.documents import FILES, schema_of

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "reports" / "samples").glob("*/comparison.json"))


def content_of(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def undescribed(found: BaseModel, path: str = "") -> Iterator[str]:
    """Yield keys that were written and are not in the schema."""
    yield from (f"{path}{key}" for key in found.model_extra or ())
    for name in type(found).model_fields:
        value = getattr(found, name)
        several = value.values() if isinstance(value, dict) else value
        for inner in several if isinstance(value, list | dict) else [value]:
            if isinstance(inner, BaseModel):
                yield from undescribed(inner, f"{path}{name}.")


def assert_keeps_the_schema(name: str, content: dict[str, Any]) -> None:
    jsonschema.validate(content, schema_of(name), jsonschema.Draft202012Validator)
    assert [*undescribed(FILES[name].model_validate(content))] == []


@pytest.mark.parametrize("name", FILES)
def test_the_published_schema_is_todays(name: str) -> None:
    """``python -m gmmcompare.workflows.documents docs/reference/schemas`` writes it."""
    published = ROOT / "docs" / "reference" / "schemas" / f"{name}.schema.json"
    assert content_of(published) == schema_of(name)
    jsonschema.Draft202012Validator.check_schema(schema_of(name))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.parent.name)
def test_committed_samples_keep_the_schema(path: Path) -> None:
    assert_keeps_the_schema("comparison", content_of(path))


def test_a_sample_that_breaks_the_schema_is_seen() -> None:
    content = content_of(SAMPLES[0])
    content["engines"]["em"]["kind"] = "guess"
    with pytest.raises(jsonschema.ValidationError, match="guess"):
        assert_keeps_the_schema("comparison", content)
    content = content_of(SAMPLES[0])
    content["pairs"][0]["more"] = 1
    with pytest.raises(AssertionError, match="more"):
        assert_keeps_the_schema("comparison", content)


@pytest.mark.slow
def test_a_comparison_keeps_the_schema(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from gmmcompare.cli import app

    arguments = ["compare", "galaxies-k4", "--engines", "em,gibbs", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, [*arguments, "--set", "engines.gibbs.draws=500"])
    assert done.exit_code in (0, 3), done.output
    assert_keeps_the_schema("comparison", content_of(tmp_path / "comparison.json"))


def test_an_agreement_keeps_the_schema() -> None:
    rng = np.random.default_rng(1)
    draws = [{"x": rng.normal(size=(4, 500))} for _ in range(2)]
    found = agree_files([("a", draws[0]), ("b", draws[1])])
    assert_keeps_the_schema("agreement", json.loads(to_json(found.to_dict())))


@pytest.mark.slow
def test_a_validation_keeps_the_schema() -> None:
    for name in ("fault:rate-for-scale", "gibbs"):
        found = validate(name, quick=True)
        assert_keeps_the_schema("validation", json.loads(found.to_json()))
    assert gc.__version__

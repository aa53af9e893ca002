"""Where a result came from: card, command, versions, data; and the head of every JSON file."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from gmmcompare._version import __version__
from gmmcompare.model.card import Card
from gmmcompare.model.sample import Sample

SCHEMA = 1


@dataclass(frozen=True)
class Provenance:
    """Everything needed to make a result again."""

    card: Card
    created: str
    command: str
    versions: Mapping[str, str]

    @classmethod
    def now(cls, card: Card, command: str = "") -> Provenance:
        """Return the provenance of a result of this moment."""
        return cls(card, datetime.now(UTC).isoformat(timespec="seconds"), command, versions())

    def header(self, sample: Sample) -> dict[str, Any]:
        """Return what every JSON file of a result begins with."""
        origin = sample.origin
        return {
            "schema": SCHEMA,
            "version": __version__,
            "created": self.created,
            "command": self.command,
            "versions": dict(self.versions),
            "card": {
                "name": self.card.name,
                **self.card.model_dump(mode="json", exclude_none=True),
            },
            "data": {
                "name": origin.name,
                "label": origin.label,
                "source": origin.source,
                "simulated": origin.simulated,
                "n": sample.n,
                "n_distinct": sample.n_distinct,
                "n_missing": origin.n_missing,
                "sha256": origin.sha256,
                **_of_errors(sample),
            },
        }


def _of_errors(sample: Sample) -> dict[str, Any]:
    """Return what is said of measurement errors, where there are any."""
    if sample.errors is None:
        return {}
    s = np.repeat(sample.errors, sample.counts)
    return {
        "n_without_error": sample.origin.n_without_error,
        "n_distinct_values": int(np.unique(sample.values).size),
        "error_quantiles": dict(
            zip(("5%", "50%", "95%"), np.quantile(s, [0.05, 0.5, 0.95]).tolist(), strict=True)
        ),
    }


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    packages = ("numpy", "scipy", "numba", "pymc", "nutpie", "arviz")
    found = {name: importlib.metadata.version(name) for name in packages}
    return {
        "gmmcompare": __version__,
        "python": platform.python_version(),
        **found,
        "platform": f"{sys.platform} {platform.machine()}",
    }

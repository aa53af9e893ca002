"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from gmmcompare.data import load_sample
from gmmcompare.model.sample import Sample

sys.path.insert(0, str(Path(__file__).parent))  # tests import what lies beside them

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Run in the background, where Ctrl-C is ignored: programs under test must hear it all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)

SNAPSHOT = "GMMCOMPARE_EXOPLANETS"


@pytest.fixture(scope="session")
def snapshot() -> Path:
    """Return the file of real exoplanets that development and CI use; it is not in the project."""
    path = os.environ.get(SNAPSHOT)
    if not path:
        pytest.skip(f"{SNAPSHOT} does not name a file of real exoplanets")
    return Path(path)


@pytest.fixture(scope="session")
def exoplanets(snapshot: Path) -> Sample:
    """Return log10 of the real radii, as the bundled cards use them."""
    return load_sample(snapshot, "pl_radj", "log10")

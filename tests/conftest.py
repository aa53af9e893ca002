"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from gmmcompare.data import load_sample
from gmmcompare.model.sample import Sample

sys.path.insert(0, str(Path(__file__).parent))  # tests import what lies beside them

settings.register_profile("ours", deadline=None)  # a busy machine is no failure
settings.load_profile("ours")

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


@pytest.fixture(scope="session", autouse=True)
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the tests away from the user's cache; fixtures that outlive a test share this one."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GMMCOMPARE_CACHE", str(folder))
        yield folder


_numbers = count()


@pytest.fixture(autouse=True)
def own_cache(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a user's cache of its own, or it would find what another one fitted."""
    folder = shared_cache / f"of-test-{next(_numbers)}"
    monkeypatch.setenv("GMMCOMPARE_CACHE", str(folder))
    return folder


TOGETHER = {
    "a finished selection": ("tests/selection/",),
    "NUTS of three components": (
        "tests/engines/nuts/test_engine.py",
        "tests/workflows/test_allocations.py",
    ),
}
"""Files that are given to one process, for what they share costs seconds to make twice."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each file to one process, and files that belong together to the same one."""
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return next((what for what, paths in TOGETHER.items() if file.startswith(paths)), file)

    return Together(config, log)

"""Signatures are made from real runs, and some of them can be made anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from gmmcompare.validation.diagnosis import signatures
from gmmcompare.validation.diagnosis.signatures import STORED, read_signatures, write_signatures

ANEW = "shape-plus-n"


@pytest.mark.slow
def test_one_signature_is_made_anew_and_the_others_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With few replicates it is like the stored one all the same: their cosine is above 0.5."""
    monkeypatch.setattr(signatures, "_REPLICATES", 250)
    path = tmp_path / "signatures.npz"
    shutil.copy(STORED, path)
    write_signatures(path, [ANEW], jobs=1)
    old, new = read_signatures(STORED), read_signatures(path)
    assert set(new.faults) == set(old.faults)
    assert new.n == 250
    for scene, effects in new.effects.items():
        for name, now in zip(new.faults, effects.astype(float), strict=True):
            before = old.effects[scene][old.faults.index(name)].astype(float)
            assert np.array_equal(now, before) == (name != ANEW)
            assert now @ before / np.sqrt((now @ now) * (before @ before)) > 0.5

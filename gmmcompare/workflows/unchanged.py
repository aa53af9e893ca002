"""Whether an output folder already has the comparison that is asked for, as `make` would ask."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gmmcompare.data.partitions.grid import PartitionedSample
from gmmcompare.fitting.requests import EngineRequest
from gmmcompare.model.card import Card
from gmmcompare.runtime.files import write_json
from gmmcompare.runtime.stamp import program_stamp
from gmmcompare.workflows.load import Data
from gmmcompare.workflows.provenance import versions

PAGE = "index.html"
NOTE = ".made-from.json"


def made_from(
    card: Card, data: Data, requests: Sequence[EngineRequest], settling: bool = False
) -> str:
    """Return a digest of all that a comparison's numbers and its page depend on.

    Parameters
    ----------
    card : Card
    data : Data
    requests : sequence of EngineRequest
    settling : bool, optional
        Whether engines may run again with other settings.

    Raises
    ------
    InputError
        If a user's function or a file of draws cannot be found.
    """
    partitioned, family = isinstance(data.sample, PartitionedSample), card.build_priors().family
    origin = data.sample.origin
    content = {
        "program": program_stamp(),
        "versions": versions(),
        "card": card.model_dump(mode="json"),
        "name": card.name,
        "data": [data.sample.fingerprint, repr(origin)],
        "rows": _rows_digest(data),
        # A built-in engine is its name and the card's settings; the others are what they contain.
        "engines": [
            [r.name, r.origin, None]
            if r.origin == "built-in"
            else [r.name, r.origin, dict(r.build(card.engines, None, partitioned, family).settings)]
            for r in requests
        ],
        "settling": settling,
    }
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def record(folder: Path, key: str) -> None:
    """Note from what the files of a folder were made, once all are written.

    Parameters
    ----------
    folder : Path
    key : str
        Of `made_from`.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    names = ["comparison.json", PAGE, "allocations.csv"]
    names += [f"fits/{fit.name}" for fit in folder.glob("fits/*.nc")]
    seen = {name: _seen(folder / name) for name in names if (folder / name).is_file()}
    write_json(folder / NOTE, {"key": key, "files": seen})


def unchanged(folder: Path, key: str) -> Mapping[str, Any] | None:
    """Return the content of ``comparison.json``, if the folder's files were made from the same.

    Parameters
    ----------
    folder : Path
    key : str
        Of `made_from`.

    Returns
    -------
    mapping or None
        None where something differs, or a file is missing or is not the one that was written.
    """
    try:
        note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        files = note["files"]
        if note["key"] != key or PAGE not in files:
            return None
        if any(_seen(folder / name) != seen for name, seen in files.items()):
            return None
        content = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return content if isinstance(content, dict) else None


def _seen(path: Path) -> list[int]:
    """Return size and time of a file, by which it is told from one written later."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _rows_digest(data: Data) -> str:
    """Return a digest of rows and names, which ``allocations.csv`` reports in their order."""
    if data.rows is None:
        return ""
    digest = hashlib.sha256(data.rows.row.tobytes())
    digest.update(data.rows.y.tobytes())
    if data.rows.names is not None:
        digest.update("\n".join(map(str, data.rows.names)).encode())
    return digest.hexdigest()

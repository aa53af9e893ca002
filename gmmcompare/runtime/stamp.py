"""Which program made something: a digest that changes whenever a file of the package does."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_OUR_FILES = (".py", ".j2", ".css", ".js")


@cache
def program_stamp() -> str:
    """Return a digest of the names, sizes and times of the package's own files.

    Cheaper than their content, and enough to tell an edited checkout from the one before; two
    machines have two stamps.
    """
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*")):
        if path.suffix in _OUR_FILES:
            found = path.stat()
            digest.update(f"{path.relative_to(_PACKAGE)} {found.st_size} ".encode())
            digest.update(f"{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()

"""A `Progress` that remembers what it was told, for tests."""

from __future__ import annotations


class Ledger:
    """Notes what was begun, what was there already, and how many went on at a time."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.reused: list[str] = []
        self.open: list[str] = []
        self.most = 0

    def __call__(self, what: str, fraction: float) -> None:
        if fraction < 1.0 and what not in self.open:
            self.begun.append(what)
            self.open.append(what)
            self.most = max(self.most, len(self.open))
        elif fraction >= 1.0 and what in self.open:
            self.open.remove(what)
        elif fraction >= 1.0 and what not in self.begun:
            self.reused.append(what)

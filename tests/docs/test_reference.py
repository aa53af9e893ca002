"""References are complete: every key of a card, every command, every public name."""

from __future__ import annotations

from pathlib import Path

import cards
import commands
import public

import gmmcompare as gc
from gmmcompare.model.card import bundled_cards, load_card

ROOT = Path(__file__).parents[2]


def test_every_key_of_a_card_is_described() -> None:
    assert cards.undescribed() == []


def test_every_key_that_a_bundled_card_has_is_in_the_reference() -> None:
    def keys_of(content: dict[str, object], path: str = "") -> list[str]:
        found = []
        for name, value in content.items():
            here = f"{path}{name}"
            found += keys_of(value, f"{here}.") if isinstance(value, dict) else [here]
        return found

    assert bundled_cards()
    for name in bundled_cards():
        assert {*keys_of(load_card(name).model_dump(exclude_none=True))} <= {*cards.keys()}


def test_the_keys_beside_the_bundled_cards_are_todays() -> None:
    """`make docs` writes them."""
    assert cards.README.read_text(encoding="utf-8") == cards.readme()


def test_every_command_is_in_the_reference() -> None:
    text = commands.markdown()
    assert len(commands.names()) > 10
    for name in commands.names():
        assert f"## `{name}`" in text
    for option in ("--settle", "--posterior-sbc", "--scheduler", "--mutants", "CARD"):
        assert f"`{option}" in text


def test_every_public_name_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    assert "{other-names}" in text
    for name in gc.__all__:
        if name != "__version__":
            assert f":: {name}\n" in text + public.markdown(text)

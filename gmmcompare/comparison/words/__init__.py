"""Reasons in words: the one place where sentences are made of them, for terminal, page and JSON."""

from gmmcompare.comparison.words import comparison, selection
from gmmcompare.comparison.words.catalogue import clause, phrase, sentence

__all__ = ["clause", "comparison", "phrase", "selection", "sentence"]

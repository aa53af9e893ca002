"""Reasons in words: the one place where a sentence is made of them, for terminal, page and JSON.

`catalogue` has what every code says; `selection.words` and `validation.words` enter theirs.
"""

from gmmcompare.comparison.words import comparison, remedies
from gmmcompare.comparison.words.catalogue import clause, phrase, sentence

__all__ = ["clause", "comparison", "phrase", "remedies", "sentence"]

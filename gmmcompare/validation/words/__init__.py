"""Findings in words: the one place where sentences are made of this package's codes."""

from gmmcompare.comparison.words.catalogue import phrase, phrases
from gmmcompare.validation.words import checks, diagnosis, remedies, scope
from gmmcompare.validation.words.saying import MORE_TIME, rate

__all__ = ["MORE_TIME", "checks", "diagnosis", "phrase", "phrases", "rate", "remedies", "scope"]

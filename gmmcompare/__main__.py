"""Run as ``python -m gmmcompare``."""

from gmmcompare.cli import main

main()

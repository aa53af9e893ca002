"""``engines``."""

from __future__ import annotations

from gmmcompare.cli.application import app


@app.command()
def engines() -> None:
    """List what can be compared here, and with which versions."""
    from gmmcompare.cli.show import print_engines

    print_engines()

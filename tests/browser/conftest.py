"""A real Chromium, and a function that opens pages and listens to what they say."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OpenPage = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no system Chromium is installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_file(browser: Any) -> Iterator[OpenPage]:
    """Return a function that opens a page; at the end none said a word or asked for anything."""
    said: list[str] = []
    requested: list[str] = []
    contexts: list[Any] = []

    def open_(path: Path, width: int = 1280, scheme: str = "light", **options: Any) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            locale="en-US",
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: requested.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in requested if not url.startswith(("file:", "data:"))] == []


@pytest.fixture
def violations() -> Callable[[Any], list[tuple[str, str, str]]]:
    """Return a function that lists what axe-core has against a page, everything unfolded."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")

    def listed(page: Any) -> list[tuple[str, str, str]]:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        found = axe.Axe().run(page).response["violations"]
        return [(v["id"], v["impact"], v["nodes"][0]["html"]) for v in found]

    return listed

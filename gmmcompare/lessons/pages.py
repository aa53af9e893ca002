"""From a lesson's data to its page and its notebook."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol, cast

import jinja2
import numpy as np
from markupsafe import Markup

from gmmcompare._version import __version__
from gmmcompare.lessons import LESSONS, SHORT_TITLES
from gmmcompare.lessons.notebook import notebook_of
from gmmcompare.runtime.errors import InputError, did_you_mean
from gmmcompare.runtime.files import write_json, write_text
from gmmcompare.runtime.progress import Progress, Step

_HERE = files("gmmcompare.lessons")


class Lesson(Protocol):
    """What a lesson's module offers."""

    COMMANDS: Sequence[str]
    """Shell commands that run the same engines; seeds are derived from the card's."""
    FACTS: Sequence[str]
    """Sentences on data, seeds and settings."""

    def compute(self, progress: Step) -> Mapping[str, Any]:
        """Return the data to embed: numbers, strings, arrays, lists and mappings of such."""
        ...


def lesson_module(name: str) -> Lesson:
    """Import a lesson by name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in LESSONS:
        raise InputError(
            f"{name}: no such lesson{did_you_mean(name, LESSONS)}; there are {', '.join(LESSONS)}"
        )
    return cast(Lesson, importlib.import_module(f"gmmcompare.lessons.{name}"))


def write_pages(
    names: Sequence[str], out: Path, with_notebook: bool, progress: Progress
) -> list[Path]:
    """Write the lessons' pages, and notebooks if asked for; see `lessons.write_lessons`.

    Parameters
    ----------
    names : sequence of str
        Of lessons.
    out : Path
        The folder.
    with_notebook : bool
    progress : callable
        Called with a lesson's name and the fraction of it that is done.
    """
    modules = {name: lesson_module(name) for name in names}
    written: list[Path] = []
    for name, module in modules.items():
        data = _computed(name, module, out, partial(progress, name))
        page = out / f"{name}.html"
        write_text(page, render(name, module, data))
        written.append(page)
        if with_notebook:
            notebook = out / f"{name}.ipynb"
            write_json(notebook, notebook_of(_text(f"notebooks/{name}.py")))
            written.append(notebook)
        progress(name, 1.0)
    return written


def _computed(name: str, module: Lesson, out: Path, step: Step) -> Mapping[str, Any]:
    """Return a lesson's data, from an earlier run into the same folder if nothing has changed."""
    key = hashlib.sha256(f"{__version__}\n{_text(f'{name}.py')}".encode()).hexdigest()[:16]
    kept = out / ".data" / f"{name}-{key}.json"
    if kept.is_file():
        try:
            return cast(Mapping[str, Any], json.loads(kept.read_text(encoding="utf-8")))
        except ValueError:
            pass  # damaged: compute it again
    step(0.0)
    data = {"version": __version__, **plain(module.compute(step))}
    write_text(kept, json.dumps(data))
    return data


def render(name: str, module: Lesson, data: Mapping[str, Any]) -> str:
    """Return the page of one lesson.

    Parameters
    ----------
    name : str
    module : Lesson
    data : mapping
        What its ``compute`` returned, in the form of JSON.
    """
    names = list(LESSONS)
    at = names.index(name)
    return (
        _environment()
        .get_template(f"{name}.html")
        .render(
            name=name,
            title=LESSONS[name],
            lessons=LESSONS,
            short_titles=SHORT_TITLES,
            number=at + 1,
            following=names[(at + 1) % len(names)],
            d=data,
            commands=module.COMMANDS,
            facts=module.FACTS,
            style=Markup(_text("assets/lesson.css")),
            script=Markup(_text("assets/core.js") + _text(f"assets/{name}.js")),
            embedded=Markup(json.dumps(data, separators=(",", ":")).replace("</", "<\\/")),
        )
    )


def plain(value: Any, digits: int = 7) -> Any:
    """Return nested data as JSON has it: arrays as lists, floats to some significant digits.

    Rounding keeps pages small, and equal on machines whose libraries differ in the last bit.
    Numbers that are not finite become None.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item, digits) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist(), digits)
    if isinstance(value, (list, tuple)):
        return [plain(item, digits) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item(), digits)
    if isinstance(value, float):
        if not np.isfinite(value):
            return None
        rounded = float(f"{value:.{digits}g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
    return value


def number(value: float, digits: int = 0) -> str:
    """Return a number as text reads best: thousands separated, a true minus sign."""
    return f"{value:,.{digits}f}".replace("-", "\N{MINUS SIGN}")


def percent(value: float, digits: int = 0) -> str:
    """Return a share as a percentage, with a space that does not break."""
    return f"{number(100.0 * value, digits)}\N{NO-BREAK SPACE}%"


def times(value: float) -> str:
    """Return a ratio as roughly as a measurement of speed deserves: 1.4, 6, 30."""
    return number(value, 1) if value < 2.0 else number(float(f"{value:.1g}"))


def power_of_ten(value: float) -> Markup:
    """Return a positive number far from 1 in powers of ten, as HTML."""
    mantissa, exponent = f"{value:.1e}".split("e")
    factor = "" if mantissa == "1.0" else f"{mantissa}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}"
    return Markup("{}10<sup>{}</sup>").format(factor, number(int(exponent)))


@lru_cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gmmcompare.lessons"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, percent=percent, tiny=power_of_ten, times=times)
    return environment


def _text(path: str) -> str:
    return _HERE.joinpath(path).read_text(encoding="utf-8")

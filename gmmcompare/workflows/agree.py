"""From files of draws, and perhaps a model, to a verdict on whether they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gmmcompare._version import __version__
from gmmcompare.comparison.agreed import Agreement, agree_on
from gmmcompare.comparison.general import GeneralDraws
from gmmcompare.engines.imported.general import read_draws
from gmmcompare.model.named import as_model, load_model
from gmmcompare.model.params import Array
from gmmcompare.model.points import Data, mapped
from gmmcompare.model.protocol import Model, density, symmetries
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import to_json, write_text
from gmmcompare.workflows.provenance import SCHEMA, versions

LOG_JOINT = "log joint density"


@dataclass(frozen=True)
class Agreed:
    """An agreement and where it came from."""

    agreement: Agreement
    sources: Mapping[str, str]
    command: str = ""
    model: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``agreement.json``."""
        return {
            "schema": SCHEMA,
            "version": __version__,
            "command": self.command,
            "versions": versions(),
            "model": self.model,
            "sources": dict(self.sources),
            **self.agreement.to_dict(),
        }

    def save(self, folder: Path) -> Path:
        """Write ``agreement.json``; return its path.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        path = folder / "agreement.json"
        write_text(path, to_json(self.to_dict()))
        return path


def agree_files(
    sources: Sequence[Any],
    chosen: Sequence[str] = (),
    model: Any = None,
    data: Data | None = None,
    command: str = "",
) -> Agreed:
    """Judge whether draws from several places are of one posterior.

    Parameters
    ----------
    sources : sequence
        Each a file or folder (``NAME=PATH`` gives it a name), a DataTree, or a dict of arrays
        (chains, draws, *shape).
    chosen : sequence of str
        Parameters to compare; by default all that are common.
    model : Model, pymc.Model, callable or str, optional
        Its log joint density of the draws is compared as well, and its symmetries are heeded.
    data : ndarray or dict of ndarray, optional
        The observations; by default those of a PyMC model.
    command : str
        What was typed.

    Raises
    ------
    InputError
        If draws cannot be read, have nothing in common, or do not fit the model.
    """
    read = [_read(source, i) for i, source in enumerate(sources)]
    names = _distinct([name for name, _, _ in read])
    draws = [replace(d, name=name) for name, (_, d, _) in zip(names, read, strict=True)]
    groups: Sequence[Sequence[str]] = ()
    title = ""
    if model is not None:
        title = model if isinstance(model, str) else str(getattr(model, "name", "") or "a model")
        known = load_model(model) if isinstance(model, str) else as_model(model, title)
        groups = symmetries(known)
        draws = [with_density(d, known, data) for d in draws]
    places = dict(zip(names, (place for _, _, place in read), strict=True))
    return Agreed(agree_on(draws, chosen, groups), places, command, title)


def with_density(draws: GeneralDraws, model: Model, data: Data | None) -> GeneralDraws:
    """Return draws with the model's log joint density of them, if it has one and they all of it.

    Parameters
    ----------
    draws : GeneralDraws
    model : Model
    data : ndarray or dict of ndarray, optional
        By default what the model itself observed.
    """
    y = getattr(model, "observed", None) if data is None else data
    functions = [density(model, name) for name in ("log_prior", "log_likelihood")]
    if y is None or None in functions or not set(model.parameters) <= set(draws.arrays):
        return draws
    theta = {}
    for name, shape in model.parameters.items():
        array = draws.arrays[name]
        if array.shape[2:] != tuple(shape):
            raise InputError(
                f"{draws.name}: {name} has shape {array.shape[2:]}, and {tuple(shape)} in the model"
            )
        theta[name] = array.reshape(-1, *shape)
    n = int(np.prod(draws.shape))
    batch = mapped(lambda a: np.broadcast_to(a, (n, *np.shape(a))), y)
    log_prior, log_likelihood = functions
    assert log_prior is not None
    assert log_likelihood is not None
    log_joint: Array = np.asarray(log_prior(theta) + log_likelihood(theta, batch), dtype=float)
    if not np.isfinite(log_joint).all():
        raise InputError(
            f"{draws.name}: {int((~np.isfinite(log_joint)).sum()):,} draws have no density under "
            "the model: are they in the same units and transform?"
        )
    densities = {LOG_JOINT: log_joint.reshape(draws.shape), **draws.densities}
    return replace(draws, densities=densities)


def draws_in(path: str | Path, name: str) -> GeneralDraws:
    """Read a file or folder of draws under a name; see `engines.imported.general.read_draws`."""
    arrays, stats, notes = read_draws(path)
    diverging = int(stats["diverging"].sum()) if "diverging" in stats else None
    return GeneralDraws(name, arrays, {}, diverging, tuple(notes))


def _read(source: Any, index: int) -> tuple[str, GeneralDraws, str]:
    """Return a name, the draws, and where they are from."""
    if isinstance(source, str | Path):
        text = str(source)
        name, equals, path = text.partition("=")
        if not equals or Path(text).exists():
            name, path = "", text
        named = name or Path(path).stem or "draws"
        return named, draws_in(path, named), str(path)
    name = chr(ord("A") + index)
    if isinstance(source, tuple) and len(source) == 2:
        name, source = str(source[0]), source[1]
    return name, _from_object(source, name), "in memory"


def _from_object(source: Any, name: str) -> GeneralDraws:
    """Take draws from a DataTree, or anything with a group ``posterior``, or a dict of arrays."""
    posterior = getattr(source, "posterior", None)
    if posterior is not None:
        arrays = {
            str(k): np.asarray(v.transpose("chain", "draw", ...).values, dtype=float)
            for k, v in posterior.data_vars.items()
        }
    elif isinstance(source, Mapping):
        arrays = {str(k): np.asarray(v, dtype=float) for k, v in source.items()}
    else:
        raise InputError(
            f"{name}: is {type(source).__name__}; give a file, a DataTree with a group "
            "'posterior', or a dict of arrays (chain, draw, ...)"
        )
    if not arrays or len({a.shape[:2] for a in arrays.values()}) != 1:
        raise InputError(f"{name}: arrays need the same first two axes (chain, draw)")
    return GeneralDraws(name, arrays)


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names of which those that occur more than once are numbered."""
    out: list[str] = []
    for name in names:
        copies = [n for n in out if n == name or n.startswith(f"{name} (")]
        out.append(f"{name} ({len(copies) + 1})" if copies else name)
    return out

"""`Fit`: the result of one engine as an ArviZ DataTree, scored by our own code, saved and loaded.

This is the only place where draws and points become a DataTree.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gmmcompare.engines.base import Draws, Engine, Kind, Point, Problem, Seconds
from gmmcompare.model.family import family_named, family_of
from gmmcompare.model.multivariate.params import MultivariateParams
from gmmcompare.model.multivariate.sample import VectorSample
from gmmcompare.model.params import Array, Params
from gmmcompare.model.priors import Priors
from gmmcompare.model.sample import Origin, Sample
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.files import replacing

_ATTRIBUTE = "gmmcompare"
_DRAW_DIMS = ("chain", "draw")
_COMPONENT = "component"
_AXES = ("dimension", "dimension_2")
_POSTERIOR, _RAW = "posterior", "posterior_raw"
EngineOrigin = Literal["built-in", "own", "draws"]


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """One engine's result.

    Attributes
    ----------
    kind : "draws" or "point"
    tree : xarray.DataTree
        ``posterior`` with w, mu, sigma over (chain, draw, component), a point as one chain of one
        draw: as the engine labelled them, or, once they were aligned, with component k the same in
        every draw, and ``posterior_raw`` as the engine labelled them; of vectors w, mu and cov,
        with axes ``dimension`` and ``dimension_2`` last; ``sample_stats`` with ``lp`` and
        ``log_lik`` from our own prior and mixture code, ``prob_empty`` (probability that at
        least one component has no observation) and ``prob_small`` (upper bound on the
        probability that one has at most one), and the engine's own statistics; ``observed_data``
        with distinct values, counts and errors, if any; ``standard_error`` and ``engine`` where the
        engine gave such.
    engine : str
    seed : int
    seconds : Seconds
    status : str
        ``"ok"`` or the reason why not.
    key : str
        Hash of data, model, settings, seed and version; see `run`.
    notes : tuple of str
        What the engine found worth saying.
    priors : Priors or None
        Under which it was fitted; an earlier version did not keep them.
    origin : "built-in", "own" or "draws"
        Whether it is of a built-in engine, of a user's function, or of a file of draws.
    settings : mapping
        Of the engine, as in a card: chains, warmup, draws and others; empty in fits of an earlier
        version.
    """

    kind: Kind
    tree: xr.DataTree
    engine: str
    seed: int
    seconds: Seconds
    status: str = "ok"
    key: str = ""
    notes: tuple[str, ...] = ()
    priors: Priors | None = None
    origin: EngineOrigin = "built-in"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Show what it is of, and not all of its draws."""
        chains, draws = self.stat("lp").shape
        what = "a point" if self.kind == "point" else f"{chains} chains of {draws:,} draws"
        return f"<Fit: {self.engine}, K = {self.K}, {what}, {self.status}>"

    @property
    def params(self) -> Params:
        """All draws as the engine labelled them, arrays of shape (chains, draws, K)."""
        return _params_of(self.tree[_RAW if _RAW in self.tree.children else _POSTERIOR])

    @property
    def K(self) -> int:
        """Number of components."""
        return int(self.tree["posterior"].sizes[_COMPONENT])

    @property
    def sample(self) -> Sample:
        """The data; where they came from is not kept."""
        observed = self.tree["observed_data"].to_dataset()
        errors = observed["errors"].values if "errors" in observed else None
        values = observed["values"].values
        kind = VectorSample if values.ndim == 2 else Sample
        sample = kind(values, observed["counts"].values, errors)
        return replace(sample, origin=Origin(sha256=sample.fingerprint))

    @property
    def point(self) -> Params:
        """The point of a point estimate, or the means of ``posterior``, shape (K,)."""
        params = self.params if self.kind == "point" else _params_of(self.tree[_POSTERIOR])
        return type(params)(*(a.mean(axis=(0, 1)) for a in params))

    @property
    def standard_errors(self) -> Params | None:
        """Standard errors of (w, mu, sigma), each (K,), where the engine gives them."""
        if "standard_error" not in self.tree.children:
            return None
        return _params_of(self.tree["standard_error"])

    def stat(self, name: str) -> Array:
        """Return a sample statistic, shape (chains, draws, ...)."""
        return np.asarray(self.tree["sample_stats"][name].values)

    def has_stat(self, name: str) -> bool:
        """Whether the engine reported a statistic of this name."""
        return name in self.tree["sample_stats"].data_vars

    @property
    def solutions(self) -> tuple[Params, ...]:
        """Distinct solutions of an optimiser's starts, best first; empty for a sampler."""
        if "solutions" not in self.tree.children:
            return ()
        stacked = _params_of(self.tree["solutions"])
        return tuple(type(stacked)(*rows) for rows in zip(*stacked, strict=True))

    def extra(self, name: str) -> NDArray[Any]:
        """Return an array of the group ``engine``.

        Raises
        ------
        KeyError
            If the engine kept no such array.
        """
        return np.asarray(self.tree["engine"][name].values)

    def has_extra(self, name: str) -> bool:
        """Whether the engine kept an array of this name."""
        return "engine" in self.tree.children and name in self.tree["engine"].data_vars

    def with_aligned(self, aligned: Params) -> Fit:
        """Return the fit with relabelled draws as its posterior, and the engine's beside them."""
        tree = self.tree.copy()
        if _RAW not in tree.children:
            tree[_RAW] = xr.DataTree(tree[_POSTERIOR].to_dataset())
        relabelled = _dataset(aligned, _DRAW_DIMS).assign_attrs(tree[_RAW].attrs)
        tree[_POSTERIOR] = xr.DataTree(relabelled)
        return replace(self, tree=tree)

    def under(self, priors: Priors) -> Fit:
        """Return the fit with the priors under which it was made, if it does not have them."""
        return self if self.priors else replace(self, priors=priors)

    def save(self, path: str | Path) -> Path:
        """Write NetCDF under a temporary name, then rename, so that nothing is half-written.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        path = Path(path)
        tree = self.tree.copy()
        tree.attrs[_ATTRIBUTE] = json.dumps({**self._header(), "sha256": self.digest})
        with replacing(path) as temporary:
            tree.to_netcdf(temporary, engine="h5netcdf", encoding=_compressed(tree))
        return path

    @property
    def digest(self) -> str:
        """SHA-256 of all there is in the fit, which its file is checked against when loaded."""
        return _digest(self.tree, self._header())

    def _header(self) -> dict[str, Any]:
        header: dict[str, Any] = {
            "kind": self.kind,
            "engine": self.engine,
            "seed": self.seed,
            "seconds": [self.seconds.prepare, self.seconds.sample],
            "status": self.status,
            "key": self.key,
            "notes": list(self.notes),
        }
        # An earlier version's digest is of a header without these.
        if self.priors:
            header["priors"] = self.priors.to_dict()
            if self.priors.family != "normal":
                header["family"] = self.priors.family
        if self.settings:
            header.update(origin=self.origin, settings=dict(self.settings))
        return header

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Fit)
            and self._header() == other._header()
            and self.tree.identical(other.tree)
        )

    __hash__ = None  # type: ignore[assignment]


def build_fit(
    engine: Engine,
    problem: Problem,
    seed: int,
    result: Draws | Point,
    key: str = "",
    origin: EngineOrigin = "built-in",
) -> Fit:
    """Turn an engine's result into a `Fit`, scoring it by our own likelihood and priors.

    Parameters
    ----------
    engine : Engine
    problem : Problem
        What was fitted.
    seed : int
    result : Draws or Point
        In the units of the data.
    key : str, optional
        The fit's key in the cache.
    origin : "built-in", "own" or "draws"
        Of the engine.
    """
    is_point = isinstance(result, Point)
    params = result.params
    if is_point:
        params = type(params)(*(a[None, None] for a in params))
    groups = {
        "posterior": _dataset(params, _DRAW_DIMS),
        "sample_stats": _scored(problem, params),
        "observed_data": xr.Dataset(
            {
                "values": (
                    ("distinct", *_AXES)[: problem.sample.values.ndim],
                    problem.sample.values,
                ),
                "counts": ("distinct", problem.sample.counts),
            }
        ),
    }
    if problem.sample.errors is not None:
        groups["observed_data"]["errors"] = ("distinct", problem.sample.errors)
    if isinstance(result, Draws):
        for name, stat in result.stats.items():
            groups["sample_stats"][name] = (_dims(name, np.asarray(stat), _DRAW_DIMS), stat)
    elif result.standard_errors is not None:
        groups["standard_error"] = _dataset(result.standard_errors, ())
    if isinstance(result, Point) and result.solutions:
        stacked = type(params)(*(np.stack(a) for a in zip(*result.solutions, strict=True)))
        groups["solutions"] = _dataset(stacked, ("solution",))
    if result.extra:
        groups["engine"] = xr.Dataset(
            {
                name: (_dims(name, np.asarray(a), ()), np.asarray(a))
                for name, a in result.extra.items()
            }
        )
    for dataset in groups.values():
        dataset.attrs["inference_library"] = f"gmmcompare:{engine.name}"
    return Fit(
        kind="point" if is_point else "draws",
        tree=xr.DataTree.from_dict(groups),
        engine=engine.name,
        seed=seed,
        seconds=result.seconds,
        status=result.status if isinstance(result, Point) else "ok",
        key=key,
        notes=(*result.notes, *problem.sample.remarks(params)),
        priors=problem.priors,
        origin=origin,
        settings=dict(engine.settings),
    )


def load_fit(path: str | Path) -> Fit:
    """Load a fit that `Fit.save` wrote; it equals the one saved.

    Raises
    ------
    InputError
        If there is no such file, or it is damaged or was written by something else.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; a fit is written by `gmmcompare compare` or `fit`")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as stored:
            tree = stored.load()
        header: Mapping[str, Any] = json.loads(tree.attrs.pop(_ATTRIBUTE))
        fit = Fit(
            kind=header["kind"],
            tree=tree,
            engine=header["engine"],
            seed=header["seed"],
            seconds=Seconds(*header["seconds"]),
            status=header["status"],
            key=header["key"],
            notes=tuple(header["notes"]),
            priors=_priors_in(header),
            origin=header.get("origin", "built-in"),
            settings=header.get("settings", {}),
        )
        if header["sha256"] != _digest(tree, fit._header()):
            raise ValueError("its content has changed")
        fit = replace(fit, tree=_with_posterior_aligned(tree))
    except Exception:  # a damaged file makes its readers raise anything
        raise InputError(
            f"{path}: is damaged or is not a fit of gmmcompare; delete it and fit again"
        ) from None
    return fit


def _with_posterior_aligned(tree: xr.DataTree) -> xr.DataTree:
    """Read files of 0.1.0, which kept aligned draws apart, in ``aligned``."""
    if "aligned" not in tree.children:
        return tree
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    groups[_RAW] = groups[_POSTERIOR]
    groups[_POSTERIOR] = groups.pop("aligned").assign_attrs(groups[_RAW].attrs)
    return xr.DataTree.from_dict(groups)


def key_in(path: Path) -> str | None:
    """Return the key of the fit in a file, reading nothing else; None where there is no fit."""
    return _header_in(path).get("key")


def digest_in(path: Path) -> str | None:
    """Return the `Fit.digest` of the fit in a file, reading nothing else; None likewise."""
    return _header_in(path).get("sha256")


def _header_in(path: Path) -> dict[str, Any]:
    import h5py

    try:
        with h5py.File(path) as stored:
            return dict(json.loads(stored.attrs[_ATTRIBUTE]))
    except (OSError, KeyError, ValueError):
        return {}


def _scored(problem: Problem, params: Params) -> xr.Dataset:
    scores = family_of(problem.priors).call("score", problem.sample, params)
    log_prior = problem.priors.log_density(params)
    return xr.Dataset(
        {
            "lp": (_DRAW_DIMS, scores.log_lik + log_prior),
            "log_lik": (_DRAW_DIMS, scores.log_lik),
            "prob_empty": (_DRAW_DIMS, scores.prob_empty),
            "prob_small": (_DRAW_DIMS, scores.prob_small),
        },
        coords=_coords(params.w.shape[:2], _DRAW_DIMS),
    )


def _dataset(params: Params, leading: tuple[str, ...]) -> xr.Dataset:
    dims = (*leading, _COMPONENT, *_AXES)
    widest = max(params, key=np.ndim)
    return xr.Dataset(
        {
            name: (dims[: np.ndim(a)], np.asarray(a))
            for name, a in zip(params._fields, params, strict=True)
        },
        coords=_coords(np.shape(widest), dims[: np.ndim(widest)]),
    )


def _coords(shape: tuple[int, ...], dims: tuple[str, ...]) -> dict[str, NDArray[np.int64]]:
    return {dim: np.arange(size) for dim, size in zip(dims, shape, strict=True)}


def _dims(name: str, array: NDArray[Any], leading: tuple[str, ...]) -> tuple[str, ...]:
    """Name an array's axes: the leading ones, then ``component`` or ``<name>_dim_i``."""
    own = array.ndim - len(leading)
    if leading and own == 1 and name == "n_k":
        return (*leading, _COMPONENT)
    return (*leading, *(f"{name}_dim_{i}" for i in range(own)))


def _params_of(node: xr.DataTree | xr.DataArray) -> Params:
    kind: Any = MultivariateParams if "cov" in node else Params
    params: Params = kind(*(np.asarray(node[name].values, dtype=float) for name in kind._fields))
    return params


def _priors_in(header: Mapping[str, Any]) -> Priors | None:
    if "priors" not in header:
        return None
    priors: Priors = family_named(header.get("family", "normal")).get("priors")(**header["priors"])
    return priors


def _digest(tree: xr.DataTree, header: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all there is in a fit: NetCDF has no checksum for small arrays."""
    digest = hashlib.sha256(json.dumps(header).encode())
    for node in sorted(tree.subtree, key=lambda node: node.path):
        digest.update(repr(sorted(node.attrs.items())).encode())
        for name, variable in sorted(node.variables.items(), key=lambda item: str(item[0])):
            digest.update(f"{node.path} {name} {variable.dims} {variable.shape}".encode())
            values = np.ascontiguousarray(variable.values)
            is_number = values.dtype.kind in "biuf"
            digest.update(values.tobytes() if is_number else repr(values.tolist()).encode())
    return digest.hexdigest()


def _compressed(tree: xr.DataTree) -> dict[str, dict[str, dict[str, int | bool]]]:
    """Light compression: statistics that are nearly constant shrink to nothing."""
    light = {"zlib": True, "complevel": 1, "shuffle": True}
    return {
        node.path: {
            str(name): dict(light)
            for name, variable in node.data_vars.items()
            if variable.size > 1000 and variable.dtype.kind in "fiub"
        }
        for node in tree.subtree
        if node.data_vars
    }

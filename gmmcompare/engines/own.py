"""A user's own sampler: found by name, told apart by its argument names, run as an engine."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import inspect
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import cloudpickle
import numpy as np

from gmmcompare.engines.base import (
    STARTS,
    Draws,
    Point,
    Problem,
    Seconds,
    Step,
    chain_streams,
    out_of_unit,
)
from gmmcompare.engines.check import check_engine, keep_known
from gmmcompare.engines.starts import start_point
from gmmcompare.model.card import SamplerSettings
from gmmcompare.model.family import imported
from gmmcompare.runtime.code import find, pickled, said
from gmmcompare.runtime.errors import EngineError, InputError, did_you_mean

OwnKind = Literal["kernel", "sampler"]
ENTRY_POINTS = "gmmcompare.engines"
KERNEL_ARGUMENTS = ("w", "mu", "sigma", "y", "priors", "rng")
VECTOR_KERNEL = ("w", "mu", "cov", "y", "priors", "rng")
"""Arguments of a kernel for vectors, whose y is (N, d), mu (K, d) and cov (K, d, d)."""
_KERNELS = {"multivariate": VECTOR_KERNEL}
"""Those of families whose components have other parameters."""
_MULTIVARIATE = frozenset(("Sigma", "Sigmas", "cov", "covs", "covariance", "covariances", "X", "Y"))
"""Names of arguments by which data of several dimensions are known."""
ERRORS = "errors"
"""A further argument of either: the sds of the measurement errors of y, of shape (N,)."""
SAMPLER_ARGUMENTS = ("y", "K", "priors", "draws", "warmup", "chains", "rng")


def resolve(spec: str) -> Callable[..., Any]:
    """Find a function by ``FILE.py:FUNC``, ``package.module:FUNC`` or the name of an entry point.

    Raises
    ------
    InputError
        If there is no such file, module, function or entry point, or it fails to import.
    """
    if ":" not in spec:
        if spec.endswith(".py"):
            raise InputError(f"{spec}: name the function as well, as in {spec}:sweep")
        return _from_entry_point(spec)
    return find(spec)  # type: ignore[no-any-return]


def kind_of(function: Callable[..., Any], family: str = "normal") -> OwnKind:
    """Tell a kernel (one sweep) from a sampler (a whole run) by the names of its arguments.

    Parameters
    ----------
    function : callable
    family : str
        Of the components that it is to sample.

    Raises
    ------
    InputError
        If the names are neither's.
    """
    try:
        found = tuple(inspect.signature(function).parameters)
    except ValueError:  # some functions written in C do not tell
        found = ("?",)
    kernel = _KERNELS.get(family, KERNEL_ARGUMENTS)
    if found[: len(kernel)] == kernel:
        return "kernel"
    if found[: len(SAMPLER_ARGUMENTS)] == SAMPLER_ARGUMENTS:
        return "sampler"
    hint = ""
    if kernel is VECTOR_KERNEL:
        hint = "; data have several columns here: y is (N, d), mu is (K, d) and cov is (K, d, d)"
    elif _MULTIVARIATE.intersection(found):
        hint = (
            "; data have one dimension here: y is (N,), mu and sigma are (K,), and sigma is a "
            "standard deviation; `validate`, and `compare` with a card of several columns, take a "
            f"kernel for vectors as well, ({', '.join(VECTOR_KERNEL)})"
        )
    raise InputError(
        f"{getattr(function, '__name__', function)}({', '.join(found)}): the arguments tell what a "
        f"function is; name them ({', '.join(kernel)}) for one sweep or "
        f"({', '.join(SAMPLER_ARGUMENTS)}) for a whole run{hint}"
    )


def takes_errors(function: Callable[..., Any]) -> bool:
    """Whether a kernel or sampler has an argument ``errors``: sds of the measurement errors."""
    try:
        return ERRORS in inspect.signature(function).parameters
    except ValueError:
        return False


def source_digest(function: Callable[..., Any]) -> str:
    """Return the SHA-256 of what a function is: its file, its name, and what it was made with.

    It enters the cache key, so that an edited sampler is run again, and so is another function of
    the same file, or another closure of the same function. A function without a file, as in a
    notebook, is known by its compiled code.
    """
    try:
        file = inspect.getsourcefile(function)
        content = Path(file).read_bytes() if file else b""
    except (TypeError, OSError):
        content = b""
    cells = getattr(function, "__closure__", None) or ()
    known = [getattr(function, name, None) for name in ("__qualname__", "__defaults__")]
    try:
        made_with = cloudpickle.dumps(
            [known, [cell.cell_contents for cell in cells]] if content else function
        )
    except Exception:  # something that cannot be pickled: the function is like no other
        made_with = repr((function, cells)).encode()
    return hashlib.sha256(content + made_with).hexdigest()


class OwnEngine:
    """A user's kernel or sampler as an engine."""

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        settings: SamplerSettings,
        log_folder: Path | None = None,
        family: str = "normal",
    ) -> None:
        self._name, self._function, self._settings = name, function, settings
        self._kind, self._family = kind_of(function, family), family
        self._log_folder = log_folder

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_function": pickled(self._function, self._name)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**state, "_function": cloudpickle.loads(state["_function"])})

    @property
    def name(self) -> str:
        """The name the user gave it."""
        return self._name

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of ``[engines.custom]``, and which code was run."""
        return {**self._settings.model_dump(), "source_sha256": source_digest(self._function)}

    def run(self, problem: Problem, seed: int, progress: Step) -> Draws | Point:
        """Run the user's code in this process, and check what it returns.

        Parameters
        ----------
        problem : Problem
            Passed on in the units of the data, observations in ascending order.
        seed : int
            Of the generators that the user's code is given.
        progress : callable
            Called every hundred sweeps of a kernel; never by a whole sampler.

        Returns
        -------
        Draws or Point
            A point where the weights have shape (K,).

        Raises
        ------
        EngineError
            If it raises or returns something that is not draws or a point; its traceback is in the
            log file that the message names.
        """
        started = time.perf_counter()
        try:
            with contextlib.redirect_stdout(sys.stderr):
                result = self._draws(problem, seed, progress)
        except (KeyboardInterrupt, EngineError):
            raise
        except BaseException as error:  # a user's code may also raise SystemExit
            raise EngineError(
                f"{self.name}: raised {said(error)}; its traceback is in {self._logged(error)}"
            ) from None
        seconds = Seconds(0.0, time.perf_counter() - started)
        settings = self._settings
        params = check_engine(
            result, problem.K, settings.chains, settings.draws, self.name, self._family
        )
        params = keep_known(params, problem.priors, self.name)
        if params.w.ndim == 1:
            return Point(params, seconds)
        return Draws(params, seconds)

    def _draws(self, problem: Problem, seed: int, progress: Step) -> Any:
        settings = self._settings
        if self._kind == "kernel":
            return run_kernel(self._function, problem, settings, seed, progress, self.name)
        rng = np.random.default_rng(seed)
        return self._function(
            problem.sample.y,
            problem.K,
            problem.priors,
            draws=settings.draws,
            warmup=settings.warmup,
            chains=settings.chains,
            rng=rng,
            **errors_for(self._function, problem),
        )

    def _logged(self, error: BaseException) -> Path:
        folder = self._log_folder or Path(tempfile.mkdtemp(prefix="gmmcompare-"))
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / f"{self.name}.log"
        log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        return log


def errors_for(function: Callable[..., Any], problem: Problem) -> dict[str, Any]:
    """Return ``{"errors": sds}`` for a function that takes them: zeros where data are exact."""
    if not takes_errors(function):
        return {}
    found = problem.sample.y_errors
    return {ERRORS: np.zeros(problem.sample.n) if found is None else found}


def run_kernel(
    sweep: Callable[..., Any],
    problem: Problem,
    settings: SamplerSettings,
    seed: int,
    progress: Step,
    name: str,
) -> dict[str, Any]:
    """Run a kernel's chains from over-dispersed starts.

    Parameters
    ----------
    sweep : callable
        ``(w, mu, sigma, y, priors, rng) -> (w, mu, sigma)``; see `KERNEL_ARGUMENTS`, and
        `VECTOR_KERNEL` for data of several columns.
    problem : Problem
    settings : SamplerSettings
        Numbers of chains, warmup sweeps and draws.
    seed : int
    progress : callable
        Called with the fraction done every hundred sweeps.
    name : str
        How to call the kernel in messages.

    Returns
    -------
    dict of str to ndarray
        Each parameter's draws, of shape (chains, draws, K, ...).

    Raises
    ------
    EngineError
        If a sweep returns something other than the parameters, each of its shape.
    """
    y = problem.sample.y
    errors = errors_for(sweep, problem)
    out: dict[str, Any] = {}
    sweeps = settings.warmup + settings.draws
    for chain, streams in enumerate(chain_streams(seed, settings.chains)):
        point: Any = _start(problem, streams.allocations)
        if not out:
            shape = settings.chains, settings.draws
            out = {f: np.empty((*shape, *a.shape)) for f, a in point._asdict().items()}
        for i in range(-settings.warmup, settings.draws):
            rng = streams.parameters
            point = one_sweep(sweep, point, y, problem.priors, rng, name, **errors)
            if i >= 0:
                for field, value in point._asdict().items():
                    out[field][chain, i] = value
            if i % 100 == 0:
                done = chain * sweeps + settings.warmup + i
                progress(done / (sweeps * settings.chains))
    return out


def one_sweep(
    sweep: Callable[..., Any],
    point: Any,
    y: np.ndarray[Any, Any],
    priors: Any,
    rng: np.random.Generator,
    name: str,
    **errors: Any,
) -> Any:
    """Call a user's kernel once and check the shapes of what it returns.

    Parameters
    ----------
    sweep : callable
        ``(w, mu, sigma, y, priors, rng) -> (w, mu, sigma)``.
    point : Params, or those of another family
        Where the chain stands, arrays of shape (K, ...); the kernel is given copies.
    y : ndarray, shape (N,) or (N, d)
    priors : Priors
    rng : numpy.random.Generator
    name : str
        How to call the kernel in messages.
    **errors
        ``errors``, of shape (N,), for a kernel that takes them.

    Returns
    -------
    Params, or those of another family
        Arrays of the shapes of ``point``; their values are not checked.

    Raises
    ------
    EngineError
        If it is not three arrays of these shapes.
    """
    result = sweep(*(a.copy() for a in point), y, priors, rng, **errors)
    wanted = f"({', '.join(point._fields)})"
    try:
        new = type(point)(*(np.asarray(a, dtype=float) for a in result))
    except (TypeError, ValueError):
        raise EngineError(
            f"{name}: a sweep returned {type(result).__name__}; return the new {wanted}"
        ) from None
    shapes = [a.shape for a in point]
    if [a.shape for a in new] != shapes:
        alike = f"each of shape {shapes[0]}"
        each = f"of shapes {', '.join(map(str, shapes))}"
        raise EngineError(
            f"{name}: a sweep returned shapes {', '.join(str(a.shape) for a in new)}; "
            f"return {wanted}, {alike if len(set(shapes)) == 1 else each}"
        )
    return new


def _start(problem: Problem, rng: np.random.Generator) -> Any:
    """Return one chain's start, wide of the posterior, in the units of the data."""
    family = problem.priors.family
    if family not in STARTS:
        return start_point("overdispersed", problem, rng)
    in_unit, unit = problem.standardised()
    return out_of_unit(imported(STARTS[family])(in_unit, rng), unit)


def _from_entry_point(name: str) -> Callable[..., Any]:
    found = importlib.metadata.entry_points(group=ENTRY_POINTS)
    names = [point.name for point in found]
    if name not in names:
        listed = f"; installed ones: {', '.join(names)}" if names else ""
        raise InputError(
            f"{name}: no such engine{did_you_mean(name, names)}; name a sampler as FILE.py:FUNC, "
            f"package.module:FUNC or an entry point of the group {ENTRY_POINTS}{listed}"
        )
    try:
        function: Callable[..., Any] = found[name].load()
    except Exception as error:
        raise InputError(f"{name}: fails to import: {said(error)}") from None
    return function

"""Functions of n points, compiled from the graph of a PyMC model.

A PyMC model describes one point. Its graph is given a leading axis of n points: what is
deterministic by PyTensor's vectorisation; each random variable by drawing n times from its
distribution, of which distributions that PyMC builds from others are opened first. Where a
distribution cannot be treated so, such as one that is drawn step by step, points are done one by
one.

PyTensor's Python linker is used: NumPy runs the loops over n, and a function is compiled in some
0.2 seconds instead of the 10 to 50 of C or Numba.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pymc.logprob.basic import conditional_logp
from pymc.logprob.utils import CheckParameterValue
from pytensor.compile.builders import OpFromGraph
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.replace import graph_replace, vectorize_graph
from pytensor.graph.rewriting.utils import rewrite_graph
from pytensor.graph.traversal import ancestors, io_toposort
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.random.type import RandomType, random_generator_type

from gmmcompare.model.params import Array

type Draw = Callable[[int, Sequence[Array], np.random.Generator], list[Array]]
"""Takes the number of points n, the arrays that are given, and a generator."""
type Evaluate = Callable[[Sequence[Array]], list[Array]]
"""Takes arrays with a leading axis of n points."""

# What a density or a draw may raise where it is not defined, as outside the support.
UNDEFINED = (ValueError, ArithmeticError, AssertionError, IndexError, np.linalg.LinAlgError)


def _without_c() -> Any:
    return pytensor.config.change_flags(cxx="")


def compiled(inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """Compile a graph for PyTensor's Python linker.

    Fusing elementwise operations would turn NumPy's loops into Python's. Loops inside a graph would
    be compiled to C, for seconds, where there is a compiler. A compiled function keeps its
    arguments in itself while it works, so that one thread at a time may call it: mutants of a
    kernel are validated in several threads, on one model.
    """
    mode = Mode(linker="py", optimizer="fast_run").excluding("fusion", "inplace")
    with _without_c():
        function = pytensor.function(inputs, _opened(outputs), mode=mode, on_unused_input="ignore")
    alone = Lock()

    def call(*values: Any) -> Any:
        with alone:
            return function(*values)

    return call


def compiled_draws(outputs: Sequence[Any], given: Sequence[Any] = ()) -> Draw:
    """Return a function that draws random variables for n points.

    Parameters
    ----------
    outputs : sequence of TensorVariable
        Random variables of a model.
    given : sequence of TensorVariable
        Random variables whose values the function takes, with a leading axis of n points.

    Returns
    -------
    callable
        ``f(n, arrays, rng) -> list of ndarray``; the same state of ``rng`` gives the same draws.
    """
    values = [rv.type() for rv in given]
    outputs = _opened(graph_replace(outputs, dict(zip(given, values, strict=True)), strict=False))
    try:
        return _draws_at_once(outputs, values)
    except NotImplementedError:
        return _draws_one_by_one(outputs, values)


def _draws_at_once(outputs: Sequence[Any], values: Sequence[Any]) -> Draw:
    n = pt.lscalar("n")
    new: dict[Any, Any] = {v: _with_points(v) for v in values}
    inputs, generators = list(new.values()), []
    for node in _random_nodes(outputs):
        if not isinstance(node.op, RandomVariable):
            raise NotImplementedError(f"{node.op} draws step by step")
        generators.append(random_generator_type())
        new[node.outputs[1]] = _drawn_n_times(node, new, n, generators[-1])
    function = compiled([n, *generators, *inputs], _vectorised(outputs, new))

    def draw(size: int, arrays: Sequence[Array], rng: np.random.Generator) -> list[Array]:
        found: list[Array] = function(size, *_children(rng, len(generators)), *arrays)
        return found

    return draw


def _drawn_n_times(node: Any, new: Mapping[Any, Any], n: Any, generator: Any) -> Any:
    """Return n draws of a random variable whose parameters may depend on the point."""
    size, parameters = node.op.size_param(node), node.op.dist_params(node)
    with_points = _vectorised(parameters, new)
    one_more = [a.ndim - b.ndim for a, b in zip(with_points, parameters, strict=True)]
    if any(one_more):
        with_points = [
            p if more else p[None] for p, more in zip(with_points, one_more, strict=True)
        ]
    ndim = node.outputs[1].ndim - node.op.ndim_supp
    if not any(one_more) or not isinstance(size.type, pytensor.tensor.type_other.NoneTypeT):
        shape = node.op._infer_shape(size, parameters)[:ndim]
        if set(ancestors(shape)) & set(new):
            shape = _shape_of_one(shape, new)
        size = pt.stack([n, *(pt.cast(s, "int64") for s in shape)])
    draws = node.op.make_node(generator, size, *with_points).outputs[1]
    if draws.ndim != node.outputs[1].ndim + 1:
        raise NotImplementedError(f"{node.op} has no draws for many points at once")
    return draws


def _shape_of_one(shape: Sequence[Any], new: Mapping[Any, Any]) -> list[Any]:
    """Return a shape that was written as one of other variables, as of the first point."""
    return [pt.as_tensor(s).ravel()[0] for s in _vectorised([pt.as_tensor(s) for s in shape], new)]


def _draws_one_by_one(outputs: Sequence[Any], values: Sequence[Any]) -> Draw:
    shared = {
        v: v.type()
        for v in ancestors(outputs)
        if v.owner is None and isinstance(v.type, RandomType)
    }
    outputs = graph_replace(outputs, shared, strict=False)
    function = compiled([*shared.values(), *values], outputs)

    def draw(size: int, arrays: Sequence[Array], rng: np.random.Generator) -> list[Array]:
        found = [
            function(*_children(rng, len(shared)), *(array[i] for array in arrays))
            for i in range(size)
        ]
        return [np.stack(column) for column in zip(*found, strict=True)]

    return draw


def _children(rng: np.random.Generator, number: int) -> list[np.random.Generator]:
    """Return generators that follow from the state of another, which moves on."""
    entropy = rng.integers(0, 2**32, size=4, dtype=np.uint32)
    seeds = np.random.SeedSequence(entropy.tolist()).spawn(number)
    return [np.random.Generator(np.random.PCG64(seed)) for seed in seeds]


def _opened(outputs: Sequence[Any]) -> list[Any]:
    """Replace operations that are graphs themselves, such as distributions built from others."""
    graph = _copy(outputs)
    while closed := [n for n in graph.toposort() if isinstance(n.op, OpFromGraph)]:
        for node in closed:
            opened = node.op.fgraph.bind(node.inputs)
            pairs = zip(node.outputs, opened, strict=True)
            graph.replace_all([(a, _of_type(b, a.type)) for a, b in pairs], import_missing=True)
    return list(graph.outputs)


def _of_type(variable: Any, wanted: Any) -> Any:
    return variable if wanted.is_super(variable.type) else wanted.filter_variable(variable)


def _is_random(node: Any) -> bool:
    return any(isinstance(v.type, RandomType) for v in node.inputs)


def _random_nodes(outputs: Sequence[Any]) -> list[Any]:
    """Return the nodes that draw, each after those that it depends on."""
    return [n for n in io_toposort([], outputs) if _is_random(n)]


def _copy(outputs: Sequence[Any]) -> Any:
    """Return a graph that can be changed while the user's model stays as it is."""
    return FunctionGraph(outputs=list(outputs), clone=True, copy_inputs=False, copy_orphans=False)


def log_densities(variables: Sequence[Any]) -> tuple[list[Any], dict[Any, Any]]:
    """Return each variable's log density given the others, summed, and the values they are of.

    Densities are by the variables themselves: none is transformed, none has a Jacobian.

    Parameters
    ----------
    variables : sequence of TensorVariable
        All random variables of a model, or those that no other depends on.

    Returns
    -------
    terms : list of scalar TensorVariable
        In the order of ``variables``; -inf where PyMC checks that a parameter is allowed.
    values : dict
        From each variable to the one that stands for its value.
    """
    values = {rv: rv.type(rv.name) for rv in variables}
    terms = conditional_logp(values, warn_rvs=False)
    return _without_checks([pt.sum(terms[values[rv]]) for rv in variables]), values


def _without_checks(outputs: Sequence[Any]) -> list[Any]:
    """Return -inf instead of raising where a parameter is not allowed."""
    graph = _copy(outputs)
    for node in graph.toposort():
        if isinstance(node.op, CheckParameterValue):
            value, *conditions = node.inputs
            allowed = pt.all(pt.stack([pt.all(c) for c in conditions]))
            checked = pt.cast(pt.switch(allowed, value, -np.inf), value.dtype)
            graph.replace(node.outputs[0], checked, import_missing=True)
    return list(graph.outputs)


def compiled_for_points(
    outputs: Sequence[Any], values: Sequence[Any], shapes: Sequence[tuple[int, ...]] = ((),)
) -> Evaluate:
    """Return a function of n points, given the graph for one.

    Parameters
    ----------
    outputs : sequence of TensorVariable
        Densities or their gradients.
    values : sequence of TensorVariable
        What they are functions of.
    shapes : sequence of tuple of int
        Of the outputs, for one point.

    Returns
    -------
    callable
        ``f(arrays) -> list of ndarray``, all with a leading axis of n points; NaN where nothing is
        defined.
    """
    # With shapes known to be constant, a graph is vectorised and compiled several times faster.
    outputs = rewrite_graph(_opened(outputs), include=("canonicalize", "ShapeOpt"))
    one: list[Any] = []

    def one_by_one(arrays: Sequence[Array]) -> list[Array]:
        if not one:
            one.append(compiled(values, outputs))
        found = [np.full((len(arrays[0]), *shape), np.nan) for shape in shapes]
        for i in range(len(arrays[0])):
            with suppress(*UNDEFINED):
                for all_points, of_one in zip(found, one[0](*(a[i] for a in arrays)), strict=True):
                    all_points[i] = of_one
        return found

    inputs = {v: _with_points(v) for v in values}
    n = next(iter(inputs.values())).shape[0]
    try:
        # A term that depends on nothing is the same for every point.
        together = [
            found if found.ndim > one_point.ndim else pt.broadcast_to(found, (n, *found.shape))
            for one_point, found in zip(outputs, _vectorised(outputs, inputs), strict=True)
        ]
        function = compiled(list(inputs.values()), together)
    except (NotImplementedError, ValueError, TypeError):
        return one_by_one

    def at_once(arrays: Sequence[Array]) -> list[Array]:
        try:
            with np.errstate(all="ignore"):
                found: list[Array] = function(*arrays)
            return found
        except UNDEFINED:  # at one of the points; the others have their values
            return one_by_one(arrays)

    return at_once


def gradients(total: Any, values: Sequence[Any]) -> list[Any] | None:
    """Return the gradient of a scalar, or None where an operation has none.

    Parameters
    ----------
    total : scalar TensorVariable
    values : sequence of TensorVariable
        Continuous.
    """
    try:
        found: list[Any] = pytensor.grad(total, list(values), disconnected_inputs="ignore")
    except (NotImplementedError, TypeError, pytensor.gradient.NullTypeGradError):
        return None
    return found


def _with_points(v: Any) -> Any:
    return pt.tensor(v.name, dtype=v.type.dtype, shape=(None, *v.type.shape))


def _vectorised(graphs: Sequence[Any], new: Mapping[Any, Any]) -> list[Any]:
    if not graphs:
        return []
    return list(vectorize_graph(list(graphs), new)) if new else list(graphs)


def evaluated(graphs: Sequence[Variable]) -> list[Array]:
    """Return what a graph without inputs evaluates to, interpreted: nothing is compiled."""
    with _without_c():
        found: list[Array] = pytensor.function([], _opened(graphs), mode=Mode("py", None))()
    return found


def observed_values(model: pm.Model) -> dict[str, Array]:
    """Return the data of each observed variable."""
    names = [rv.name for rv in model.observed_RVs]
    values = [model.rvs_to_values[rv] for rv in model.observed_RVs]
    return dict(zip(names, map(np.asarray, evaluated(values)), strict=True))

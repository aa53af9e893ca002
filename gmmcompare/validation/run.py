"""`validate`: run the checks that fit a sampler, and say what they amount to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmcompare.model.family_model import FamilyModel
from gmmcompare.runtime.errors import InputError
from gmmcompare.runtime.progress import Progress, no_progress
from gmmcompare.runtime.tasks import Tasks
from gmmcompare.validation.faults.catalogue import PREFIX
from gmmcompare.validation.faults.families import FAMILY_FAULTS
from gmmcompare.validation.faults.museum import catalogue as museum
from gmmcompare.validation.mixture_procedure import MixtureProcedure
from gmmcompare.validation.model_procedure import ModelProcedure, model_scene
from gmmcompare.validation.power import check_mutants, source_of
from gmmcompare.validation.procedure import Procedure, Settings
from gmmcompare.validation.remedies import TIME_LIMIT
from gmmcompare.validation.sandbox.target import COMPONENTS_PREFIX, Target
from gmmcompare.validation.vectors import MODEL, vector_kernel
from gmmcompare.validation.verdict import Validation

if TYPE_CHECKING:
    # It needs ArviZ, which takes seconds to import.
    from gmmcompare.validation.checks.on_data import OnData

DEFAULT_SEED = 1


def validate(
    sampler: str | Callable[..., Any],
    *,
    model: Any = None,
    family: str | None = None,
    quick: bool = False,
    seed: int = DEFAULT_SEED,
    out: str | Path | None = None,
    on_data: OnData | None = None,
    geweke: bool = False,
    jobs: int = 2,
    tasks: Tasks | None = None,
    time_limit: float = TIME_LIMIT,
    call_limit: float | None = None,
    strict: bool = False,
    mutants: bool = False,
    progress: Progress = no_progress,
) -> Validation:
    """Test whether a sampler is correct and, if it is not, say what is wrong with it.

    The sampler's code runs in child processes, with your rights.

    Parameters
    ----------
    sampler : str or callable
        A kernel ``(w, mu, sigma, y, priors, rng)`` or a whole sampler ``(y, K, priors, draws,
        warmup, chains, rng)``: the function itself or its name, ``FILE.py:FUNC``,
        ``package.module:FUNC``, an entry point, ``fault:NAME``, ``museum:NAME``,
        ``components:NAME`` or a built-in engine.
    model : Model, pymc.Model or str, optional
        The model that it samples, if that is no mixture of normals: an object as
        `gmmcompare.Model` describes it, a PyMC model, or ``FILE.py:NAME``. The sampler is then
        ``(theta, y, rng)``, which takes and returns a dict, or ``(y, draws, warmup, chains, rng)``.
        A piece of the museum brings its own.
    family : str, optional
        The priors that a mixture's sampler has, if not those of `Priors`: "normal-conjugate",
        "known-sds", "shared-sd" or "fixed-weights". A fault of the gallery brings its own.
    quick : bool
        Fewer replicates: finds gross errors in a second or two, but subtle ones perhaps not.
    seed : int
        Same seed, same verdict, for a sampler that is reproducible.
    out : path, optional
        Folder for ``validation.json`` and what the sampler printed; whole samplers' replicates are
        kept there as they finish, and a rerun goes on from them.
    on_data : OnData, optional
        Your own data and NUTS' fit of them: agreement with it is checked too, and posterior SBC
        if that is asked for (see `checks.posterior_sbc`), which suits priors that are nearly
        improper. `gmmcompare.validate` makes one from a model card.
    geweke : bool
        Make the joint distribution test of Geweke (2004) as well, for kernels.
    jobs : int
        Number of processes.
    tasks : Tasks, optional
        Where replicates run instead, such as a cluster (see `runtime.tasks.open_tasks`); the
        results are the same.
    time_limit : float
        Seconds for everything; a verdict that needs more is "inconclusive".
    call_limit : float, optional
        Seconds after which one call counts as hanging; 10 for a kernel, 120 for a whole run.
    strict : bool
        Fail a sampler that draws from anything but ``rng``, too; by default that is a note.
    mutants : bool
        Validate every mutant of the sampler's source as well, to measure what this validation would
        have missed (see `validation.mutants`).
    progress : callable
        Called with a check's name and the fraction done.

    Returns
    -------
    Validation

    Raises
    ------
    InputError
        If there is no such sampler or model, mutants are asked for and there is no source, the
        sampler's arguments are neither a kernel's nor a sampler's, or the model's densities are not
        those of its draws.
    TaskError
        If workers of a cluster fail; finished replicates of whole samplers are kept.
    """
    folder = None if out is None else Path(out)
    settings = Settings(
        quick, seed, folder, geweke, jobs, tasks, time_limit, call_limit, strict, progress
    )
    if museum.is_piece(sampler):
        if model is not None or on_data is not None:
            raise InputError(f"{sampler}: brings its own model; leave out the model or the card")
        model = museum.piece(str(sampler))[0].model
    if isinstance(sampler, str) and sampler.startswith(COMPONENTS_PREFIX):
        from gmmcompare.validation.faults import number  # Numba is slow to import

        if model is not None or on_data is not None:
            raise InputError(f"{sampler}: brings its own model; leave out the model or the card")
        number.sampler(sampler)
        model = number.MODEL
    if isinstance(sampler, str) and sampler.removeprefix(PREFIX) in FAMILY_FAULTS:
        family = FAMILY_FAULTS[sampler.removeprefix(PREFIX)].family
    if family is not None and (model is not None or on_data is not None):
        raise InputError("a family is of a mixture: give --family, --model or --card alone")
    of_vectors = (
        vector_kernel(sampler) if model is None and on_data is None and family is None else None
    )
    if of_vectors is not None:
        sampler, model = of_vectors, MODEL
    procedure: Procedure
    if family is not None:
        scene = model_scene(FamilyModel(family), seed)
        target = Target.of(sampler, any_model=True, family=family)
        procedure = ModelProcedure(target, settings, scene=replace(scene, name=family))
    elif model is None:
        procedure = MixtureProcedure(Target.of(sampler), settings, on_data=on_data)
    else:
        scene = model_scene(model, seed)
        procedure = ModelProcedure(Target.of(sampler, any_model=True), settings, scene=scene)
    if mutants and family is not None:
        raise InputError("--mutants are of samplers under `Priors` or with --model: leave it out")
    if mutants:
        source_of(sampler)
    found = procedure.validation()
    if mutants and found.verdict != "failed":
        found = replace(found, checks=(*found.checks, check_mutants(procedure, sampler)))
    if folder is not None:
        found.save(folder / "validation.json")
        if procedure.printed:
            (folder / "printed.log").write_text(procedure.printed, encoding="utf-8")
    return found

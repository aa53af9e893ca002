"""Code of the user's: found by its name, imported from its file, sent to other processes."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle

from gmmcompare.runtime.errors import InputError, did_you_mean

_FILE_MODULE = "_gmmcompare_own_"
_PACKAGE = Path(__file__).parent.parent
_PYTHON = sysconfig.get_path("stdlib")


def find(spec: str, what: str = "function") -> Any:
    """Find what ``FILE.py:NAME`` or ``package.module:NAME`` names.

    Parameters
    ----------
    spec : str
    what : str
        What it should be, for messages: a function, or a model.

    Raises
    ------
    InputError
        If there is no such file, module or name, or the file fails to import.
    """
    place, colon, name = spec.rpartition(":")
    if not colon:
        raise InputError(f"{spec}: name the {what} as well, as in FILE.py:NAME")
    module = _module_from_file(Path(place)) if place.endswith(".py") else _module(place, what)
    found = getattr(module, name, None)
    if found is None or (what == "function" and not callable(found)):
        own = [n for n, value in vars(module).items() if _is_of(module, n, value, what)]
        raise InputError(
            f"{place}: no {what} '{name}'{did_you_mean(name, own)}; "
            f"it has: {', '.join(own) or f'no {what}s'}"
        )
    return found


def _is_of(module: Any, name: str, value: Any, what: str) -> bool:
    """Whether a name of a module may be meant: its own, and of the right kind."""
    if name.startswith("_") or inspect.ismodule(value):
        return False
    if what == "function":
        return inspect.isfunction(value)
    return getattr(value, "__module__", module.__name__) == module.__name__ or not callable(value)


def said(error: BaseException) -> str:
    """Return an error's type and message, and the line of the user's code, in one line."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
    theirs = [f for f in traceback.extract_tb(error.__traceback__) if is_theirs(f.filename)]
    place = f" ({Path(theirs[-1].filename).name}, line {theirs[-1].lineno})" if theirs else ""
    return text + place


def is_theirs(filename: str) -> bool:
    """Whether code is a user's: neither ours nor Python's nor that of an installed package."""
    if filename.startswith("<frozen"):
        return False
    folders = Path(filename).parts
    installed = "site-packages" in folders or "dist-packages" in folders
    return (
        not installed
        and not Path(filename).is_relative_to(_PACKAGE)
        and _PYTHON not in (str(parent) for parent in Path(filename).parents)
    )


def _module_from_file(path: Path) -> Any:
    if not path.is_file():
        beside = [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise InputError(f"{path}: no such file{did_you_mean(path.name, beside)}")
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    name = f"{_FILE_MODULE}{path.stem}_{digest}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path}: cannot be imported; give a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)  # so that the file can import its neighbours
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise InputError(f"{path}: fails to import: {said(error)}") from None
    finally:
        sys.path.remove(folder)
    return module


def _module(name: str, what: str) -> Any:
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a script may also call sys.exit
        raise InputError(
            f"{name}: fails to import: {said(error)}; name a {what} in a file as FILE.py:NAME"
        ) from None


def pickled(function: Callable[..., Any], name: str) -> bytes:
    """Return a function as bytes; with its module's code where that is a file of the user's."""
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    own = module is not None and module.__name__.startswith(_FILE_MODULE)
    if own:
        cloudpickle.register_pickle_by_value(module)
    try:
        return bytes(cloudpickle.dumps(function))
    except Exception as error:
        raise InputError(
            f"{name}: cannot be sent to a worker ({error}); leave out --workers and --scheduler"
        ) from None
    finally:
        if own:
            cloudpickle.unregister_pickle_by_value(module)

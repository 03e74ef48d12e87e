"""A value as plain data, which are others where the value is another."""

import dataclasses
import functools
import hashlib
import json
import os
import sys
import types
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_plex.tasks.resume.code import mark_code
from keras_plex.tasks.resume.code import names_in
from keras_plex.tasks.resume.configs import plain_config

# Whose functions and classes are told by name alone.
LIBRARIES = {
    *sys.stdlib_module_names,
    "jax",
    "keras",
    "keras_hub",
    "keras_plex",
    "numpy",
    "scipy",
    "sklearn",
    "tensorflow",
    "torch",
}
PLAIN = (type(None), bool, int, float, str)


def describe_value(value: Any, what: str) -> Any:
    """Plain data of numbers, texts, arrays, functions and objects.

    A function is told by its name and a mark of its code, its defaults, the
    values that it encloses, and the plain values and functions of its module
    that it uses; what it calls in other modules does not count. Functions of
    Keras, NumPy and such are told by name. An object is told by its class and
    its `get_config`, or by its attributes if it can be called. Another version
    of Python gives other code.

    Args:
        value: such as an argument of a task.
        what: it is, for errors.

    Raises:
        ValueError: for what cannot be told from another, such as an open file.

    Example:

    >>> describe_value([1, "a", np.exp], "it")
    [1, 'a', 'numpy.exp']
    >>> one, other = functools.partial(max, 1), functools.partial(max, 2)
    >>> describe_value(one, "it") == describe_value(other, "it")
    False
    """
    return _describe(value, what, ())


def is_of_library(value: Any) -> bool:
    """Whether a function or class comes with what we build on."""
    return (value.__module__ or "").partition(".")[0] in LIBRARIES


def _describe(value: Any, what: str, around: tuple) -> Any:
    if isinstance(value, PLAIN):
        return value
    if any(value is one for one in around):  # it holds itself
        return "..."

    def inner(one: Any) -> Any:
        return _describe(one, what, (*around, value))

    for kind, describe in KINDS.items():
        if isinstance(value, kind):
            return describe(value, inner)
    if ops.is_tensor(value) or isinstance(value, keras.Variable):
        return inner(ops.convert_to_numpy(value))
    found = _object(value, inner)
    if found is None:
        raise ValueError(
            f"Cannot tell whether {what} is the same as in another run: it "
            "holds an object without `get_config`. Use numbers, texts, "
            "arrays, functions or objects with `get_config`; in a task of "
            "yours, leave it out of `settings`; or pass no `directory`. "
            f"Received: {type(value).__module__}.{type(value).__qualname__}"
        )
    return found


Inner = Callable[[Any], Any]


def _sequence(value: Any, inner: Inner) -> list:
    return [inner(one) for one in value]


def _set(value: Any, inner: Inner) -> list:
    return sorted((inner(one) for one in value), key=json.dumps)


def _mapping(value: Mapping, inner: Inner) -> Any:
    if all(isinstance(key, str) for key in value):
        return {key: inner(one) for key, one in value.items()}
    return [[inner(key), inner(one)] for key, one in value.items()]


def _array(value: Any, inner: Inner) -> str:
    array = np.asarray(value)
    if array.dtype.kind == "O":
        return _marked("array", [array.shape, inner(array.tolist())])
    content = hashlib.blake2b(array.tobytes(), digest_size=8)
    return _marked("array", [array.shape, array.dtype.str, content.hexdigest()])


def _partial(value: functools.partial, inner: Inner) -> str:
    parts = [value.func, value.args, value.keywords]
    return _marked("partial", [inner(one) for one in parts])


def _method(value: types.MethodType, inner: Inner) -> str:
    parts = [value.__func__, value.__self__]
    return _marked(value.__qualname__, [inner(one) for one in parts])


def _function(value: types.FunctionType, inner: Inner) -> str:
    name = f"{value.__module__}.{value.__qualname__}"
    if is_of_library(value):
        return name
    parts = [
        value.__defaults__,
        value.__kwdefaults__,
        _enclosed(value),
        _used_globals(value),
    ]
    return _marked(name, [mark_code(value.__code__), *map(inner, parts)])


def _enclosed(value: types.FunctionType) -> dict[str, Any]:
    found = {}
    cells = value.__closure__ or ()
    for name, cell in zip(value.__code__.co_freevars, cells, strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return found


def _used_globals(value: types.FunctionType) -> dict[str, Any]:
    found = {}
    for name in sorted(names_in(value.__code__) & set(value.__globals__)):
        one = value.__globals__[name]
        is_near = (
            isinstance(one, types.FunctionType)
            and one.__module__ == value.__module__
        )
        if is_near or isinstance(one, PLAIN):
            found[name] = one
    return found


def _class(value: type, inner: Inner) -> str:
    name = f"{value.__module__}.{value.__qualname__}"
    if is_of_library(value):
        return name
    members = {
        key: getattr(one, "__func__", getattr(one, "fget", one))
        for key, one in vars(value).items()
    }
    parts = {
        key: mark_code(one.__code__)
        for key, one in members.items()
        if isinstance(one, types.FunctionType)
    }
    plain = {
        key: one
        for key, one in members.items()
        if isinstance(one, PLAIN) and not key.startswith("__")
    }
    return _marked(name, [parts, plain, *map(inner, value.__bases__)])


def _name(value: Any, inner: Inner) -> str:
    owner = getattr(value, "__self__", None)
    name = getattr(value, "__qualname__", value.__name__)
    module = getattr(value, "__module__", None)
    name = f"{module}.{name}" if module else name
    if owner is None or isinstance(owner, types.ModuleType):
        return name
    return _marked(name, inner(owner))


# Type -> how one of it is described; the first that fits.
KINDS: dict[Any, Callable[[Any, Inner], Any]] = {
    (list, tuple): _sequence,
    (set, frozenset): _set,
    Mapping: _mapping,
    bytes: lambda value, inner: value.hex(),
    os.PathLike: lambda value, inner: os.fspath(value),
    (np.ndarray, np.generic): _array,
    functools.partial: _partial,
    types.MethodType: _method,
    types.FunctionType: _function,
    type: _class,
    (
        types.BuiltinFunctionType,
        types.MethodDescriptorType,
        types.ModuleType,
        np.ufunc,
    ): _name,
}


def _object(value: Any, inner: Inner) -> str | None:
    """By class, config and weights, or attributes; `None` for others."""
    cls = type(value)
    if hasattr(value, "get_config"):
        config = plain_config(value)
        if config is None:
            return None
        weights = getattr(value, "weights", [])
        return _marked(cls.__qualname__, [inner(cls), config, inner(weights)])
    if dataclasses.is_dataclass(value):
        names = [one.name for one in dataclasses.fields(value)]
        state = {name: getattr(value, name) for name in names}
    elif callable(value) and hasattr(value, "__dict__"):
        state = vars(value)
    else:
        return None
    return _marked(cls.__qualname__, [inner(cls), inner(state)])


def _marked(name: str, parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, default=repr)
    mark = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    return f"{name} {mark}"

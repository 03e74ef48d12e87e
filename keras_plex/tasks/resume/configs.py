"""The config of a Keras object, without what says nothing of its outputs."""

import base64
import json
import marshal
import re
from typing import Any
from typing import TypeGuard

import keras

from keras_plex.tasks.resume.code import mark_code
from keras_plex.types import Config

# Where a config names other layers, by name or by path.
REFERENCES = (
    "inbound_nodes",
    "input_layers",
    "output_layers",
    "quantization",
    "trainable",
)
# What does not count: how it is built, compiled and shared in a file.
IGNORED = ("build_config", "compile_config", "shared_object_id")


def plain_config(value: Any, *, own_names: bool = True) -> Any | None:
    """The config as plain data; `None` for an object that has none.

    A name that Keras gave, such as `"dense_3"`, becomes the class with the
    place among the names of that class; a name of yours counts. Of a lambda
    the instructions count.

    Args:
        value: a layer, a model, or another object with `get_config`.
        own_names: whether names of yours count. Defaults to `True`.

    Example:

    >>> one, other = keras.layers.Dense(2), keras.layers.Dense(2)
    >>> plain_config(one) == plain_config(other), one.name == other.name
    (True, False)
    """
    try:
        config = keras.saving.serialize_keras_object(value.get_config())
        config = json.loads(json.dumps(config))
    except Exception:  # a `get_config` of others may fail in any way
        return None
    whole: Config = {"class_name": type(value).__name__, "config": config}
    names: dict[str, str] = {}
    _collect_names(whole, names, own_names)
    return _without_names(whole, names, is_reference=False)


def _collect_names(value: Any, names: dict[str, str], own_names: bool) -> None:
    """Fills in `Dense#1` for the second name of a `Dense`."""
    entries = value.values() if isinstance(value, dict) else value
    if isinstance(value, (dict, list)):
        for one in entries:
            _collect_names(one, names, own_names)
    if not _is_object(value):
        return
    name, class_name = value["config"].get("name"), value["class_name"]
    # That of a policy is what it does.
    if not isinstance(name, str) or class_name.endswith("DTypePolicy"):
        return
    if not own_names or _is_automatic(name, class_name):
        count = sum(x.startswith(f"{class_name}#") for x in names.values())
        names.setdefault(name, f"{class_name}#{count}")


def _without_names(
    value: Any, names: dict[str, str], is_reference: bool
) -> Any:
    if isinstance(value, str) and is_reference:
        return "/".join(names.get(one, one) for one in value.split("/"))
    if isinstance(value, list):
        return [_without_names(one, names, is_reference) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__lambda__" or set(value) == {"value"}:
        value = _lambda(value)
    found = {}
    for key, one in value.items():
        if key in IGNORED:
            continue
        if is_reference:
            key = _without_names(key, names, True)
        refers = is_reference or key in REFERENCES or key == "name"
        found[key] = _without_names(one, names, refers)
    return found


def _is_object(value: Any) -> TypeGuard[Config]:
    return (
        isinstance(value, dict)
        and isinstance(value.get("class_name"), str)
        and isinstance(value.get("config"), dict)
    )


def _is_automatic(name: str, class_name: str) -> bool:
    """Whether it is the class in snake case, with numbers or without."""
    stem = re.sub(r"(_\d+)+$", "", name)
    return stem.replace("_", "") == class_name.lower().replace("_", "")


def _lambda(value: Config) -> Config:
    """Marked by its code: its bytes are others in each process."""
    if "config" in value:
        parts = [value["config"][x] for x in ("code", "defaults", "closure")]
    else:  # as an activation
        parts = value["value"]
    if not isinstance(parts, list) or len(parts) != 3:
        return value
    code = marshal.loads(base64.b64decode(parts[0]))
    return {"lambda": [mark_code(code), *parts[1:]]}

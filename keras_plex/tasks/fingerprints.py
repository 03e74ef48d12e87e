"""Short texts that differ where a model or data differ."""

import dataclasses
import hashlib
import json
import types
from collections.abc import Hashable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops
from keras import tree

from keras_plex.batches import is_arrays
from keras_plex.batches import iterate_batches
from keras_plex.conversion.vocabularies import vocabularies_of
from keras_plex.models.classifiers import output_kind
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.scores import FeatureScore
from keras_plex.scores import Score
from keras_plex.scores import score as lookup_score
from keras_plex.scores.table import score_name
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.resume.architectures import describe_architecture
from keras_plex.tasks.resume.values import describe_value
from keras_plex.tasks.resume.values import is_of_library
from keras_plex.types import Data

ROWS = 1024


def fingerprint_model(model: keras.Model) -> str:
    """Of architecture, weights, vocabularies, calibration, kind of outputs.

    The same model has the same fingerprint after a load, in another process
    and if the same code makes it again: names that Keras gives do not count,
    nor how it is compiled. The source of a layer of yours does not count, nor
    settings that its `get_config` lacks. A SavedModel is told by its graphs:
    the same model exported twice may count as two.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    >>> before = fingerprint_model(model)
    >>> _ = model.layers[0].bias.assign([0.0, 1.0])
    >>> fingerprint_model(model) == before
    False
    """
    found = hashlib.blake2b(digest_size=16)
    facts: list[Any] = [type(model).__name__, output_kind(model)]
    if isinstance(model, MemberOutputs):
        facts += [model.ensemble_size, model.calibration_config()]
    facts.append(describe_architecture(model))
    text = json.dumps(facts, sort_keys=True, default=_plain)
    found.update(text.encode())
    for weight in model.weights:
        _update(found, ops.convert_to_numpy(weight))
    for vocabulary in vocabularies_of(model):
        for name, value in vocabulary.items():
            found.update(name.encode())
            _update(found, value)
    return found.hexdigest()


def fingerprint_data(data: Data, batch_size: int) -> str:
    """Of arrays all examples; of batches the first one, and their number.

    Batches may say more with a method `fingerprint() -> str`.

    Args:
        data: see `iterate_batches`.
        batch_size: for arrays.
    """
    found = hashlib.blake2b(digest_size=16)
    if is_arrays(data):
        parts: Any = data
    else:
        parts = next(iter(iterate_batches(data, batch_size)))
        found.update(str(_num_batches(data)).encode())
        own: Any = getattr(data, "fingerprint", None)
        if callable(own):
            found.update(own().encode())
    for leaf in tree.flatten(parts):
        _update(found, leaf)
    return found.hexdigest()


def fingerprint_arrays(data_sets: Mapping[str, DataSet]) -> dict[str, str]:
    """Of each data set of arrays, by name; others may come in any order."""
    found: dict[Hashable, str] = {}
    marks = {}
    for name, data_set in data_sets.items():
        if not is_arrays(data_set.data):
            continue
        # Corrupted copies share their data.
        key = dataclasses.replace(data_set, corruption=None).key
        if key not in found:
            found[key] = fingerprint_data(data_set.data, batch_size=1)
        marks[name] = found[key]
        if data_set.groups is not None:
            marks[name] += fingerprint_data(data_set.groups, batch_size=1)
    return marks


def describe_score(score: str | Score) -> str:
    """Its name; with its code, or options and what it was fitted to."""
    name = score_name(score)
    if isinstance(score, str):
        score = lookup_score(score)
    if isinstance(score, types.FunctionType) and is_of_library(score):
        return name
    if not isinstance(score, FeatureScore):
        return f"{name} {describe_value(score, f'the score {name!r}')}"
    found = hashlib.blake2b(digest_size=16)
    for key, array in sorted((score.parameters or {}).items()):
        found.update(key.encode())
        _update(found, array)
    config = json.dumps(score.get_config(), sort_keys=True, default=_plain)
    of_class = describe_value(type(score), f"the score {name!r}")
    return f"{name} {of_class} {config} {found.hexdigest()}"


def _num_batches(data: Any) -> int | None:
    cardinality: Any = getattr(data, "cardinality", None)
    if callable(cardinality):
        count: Any = cardinality()
        return int(count)
    try:
        return len(data)
    except (TypeError, NotImplementedError):
        # A PyTorch DataLoader has `__len__`, and its data may have none.
        return None


def _update(found: Any, leaf: Any) -> None:
    if leaf is None:
        return
    array = np.asarray(ops.convert_to_numpy(leaf) if _is_tensor(leaf) else leaf)
    found.update(f"{array.shape} {array.dtype.kind}".encode())
    for piece in _pieces(array):
        found.update(piece)


def _is_tensor(leaf: Any) -> bool:
    return ops.is_tensor(leaf) or isinstance(leaf, keras.Variable)


def _pieces(array: np.ndarray) -> Iterator[Any]:
    """The bytes, some rows at a time: an array may be a file in itself."""
    if array.dtype.kind in "OSU":
        for text in array.reshape(-1).tolist():
            encoded = text if isinstance(text, bytes) else str(text).encode()
            yield f"{len(encoded)} ".encode() + encoded
        return
    for start in range(0, len(array) if array.ndim else 1, ROWS):
        rows = array[start : start + ROWS] if array.ndim else array
        yield np.ascontiguousarray(rows).tobytes()


def _plain(value: Any) -> Any:
    """What JSON lacks: NumPy's numbers and arrays."""
    return np.asarray(value).tolist()

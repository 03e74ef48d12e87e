"""A classifier from a SavedModel, to be measured as the model it was."""

import pathlib
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_plex.batches import iterate_batches
from keras_plex.export.input_kinds import ENCODED_IMAGE
from keras_plex.export.model_card import read_model_card
from keras_plex.export.request import find_version_folder
from keras_plex.export.request import load_version
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.models.member_state import MemberState
from keras_plex.ops.probabilities import MIXTURES
from keras_plex.ops.probabilities import NUMBERS
from keras_plex.tables import lookup
from keras_plex.types import Data

DEFAULT, MEMBERS, FEATURES = "serving_default", "members", "features"


class ExportedClassifier(MemberOutputs, keras.Model):
    """What `export_for_serving` or `model.export` wrote, ready to be measured.

    `keras_plex.evaluate` takes it like the model that was exported. It needs
    TensorFlow, on whatever backend Keras runs; it cannot be trained or saved.
    A SavedModel of `export_for_serving` answers with its members, its
    calibration and, for scores, its features; one of `model.export` counts as
    one member.

    Args:
        directory: of the SavedModel, or of version folders, of which the
            newest is taken.
        output_kind: `"softmax_logits"`, `"sigmoid_logits"` or
            `"probabilities"`: what a model of `model.export` returns, which
            the file does not say.

    Raises:
        FileNotFoundError: where there is no SavedModel.
        ValueError: without an output kind where one is needed, or with one
            where it would be ignored; for a model with several outputs.

    Example:

    >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(3)]
    >>> stock = keras.Sequential([keras.Input((4,)), *layers])
    >>> stock.export("stock", verbose=False)
    >>> model = ExportedClassifier("stock", "softmax_logits")
    >>> model.predict_uncertainty(np.ones((2, 4))).probabilities.shape
    (2, 3)
    """

    def __init__(
        self, directory: str | pathlib.Path, output_kind: str | None = None
    ):
        folder = find_version_folder(directory)
        loaded = load_version(folder)
        functions = dict(loaded.signatures)
        lookup(functions, DEFAULT, "signature")
        is_ours = MEMBERS in functions
        card = read_model_card(folder)
        super().__init__(name=card.get("model") or pathlib.Path(directory).name)
        self.saved = _Saved(loaded, functions)
        self._plex = MemberState(
            ensemble_size=int(card.get("ensemble_size", 1)),
            member_outputs=(True,),
            heads=[None],
            output_kinds=(_checked_kind(output_kind, is_ours, folder),),
        )
        self.is_ours = is_ours
        # Others see by it that there is nothing to tokenize before.
        is_of_files = card.get("input_kind") == ENCODED_IMAGE
        self.takes_texts = self.saved.takes_texts() and not is_of_files
        self.built = True

    @property
    def has_variance(self) -> bool:
        """Whether it answers the variance."""
        return "variance" in self.saved.functions[DEFAULT].structured_outputs

    @property
    def input_shape(self) -> tuple[int | None, ...] | None:
        """With the batch; `None` for several inputs or an unknown shape."""
        return self.saved.input_shape()

    @property
    def weights(self) -> list:
        """The variables of TensorFlow."""
        return self.saved.variables

    def count_params(self) -> int:
        return sum(int(np.prod(one.shape)) for one in self.weights)

    def call(self, *args, **kwargs):
        raise NotImplementedError(
            "An `ExportedClassifier` is no layer. Use `predict_uncertainty`."
        )

    def predict_details(
        self,
        x: Data,
        *,
        features: bool = False,
        on_batch: bool = False,
        batch_size: int = 32,
    ) -> dict[str, np.ndarray]:
        """What the model it was says; see `MemberOutputs`."""
        if on_batch:
            return self._answer(x, features)
        parts = [
            self._answer(one, features)
            for one, _, _ in iterate_batches(x, batch_size)
        ]
        return {
            name: np.concatenate([part[name] for part in parts])
            for name in parts[0]
        }

    def _answer(self, x: Any, features: bool) -> dict[str, np.ndarray]:
        if features and FEATURES not in self.saved.functions:
            raise ValueError(
                f"{self.name!r} has no signature that answers features. Use a "
                'score of the forecast, such as "msp", or export a converted '
                "model with a `Dense` output layer by `export_for_serving`."
            )
        answer = self.saved.ask(DEFAULT, x)
        if not self.is_ours:
            return {"outputs": _the_one_output(self.name, answer)[:, None]}
        members = answer["probabilities"][:, None]
        if self.ensemble_size > 1:
            members = self.saved.ask(MEMBERS, x)["member_probabilities"]
        found = {"outputs": members, "probabilities": answer["probabilities"]}
        if "variance" in answer:
            found["variance"] = answer["variance"]
        if "prediction_set" in answer:
            found["prediction_sets"] = answer["prediction_set"]
        if features:
            found["features"] = self.saved.ask(FEATURES, x)["features"]
        return found


class _Saved:
    """What TensorFlow loaded; Keras looks into no object that is not its own.

    Args:
        loaded: keeps the variables alive.
        functions: the signatures by name.
    """

    def __init__(self, loaded: Any, functions: Mapping[str, Any]):
        self.loaded = loaded
        self.functions = functions
        found = {
            id(one): one for f in functions.values() for one in f.variables
        }
        self.variables = list(found.values())

    def input_shape(self) -> tuple[int | None, ...] | None:
        spec = self._the_one_input()
        if spec is None or spec.shape.rank is None:
            return None
        return tuple(spec.shape.as_list())

    def takes_texts(self) -> bool:
        """Whether its one input is a string for each example."""
        spec = self._the_one_input()
        is_text = spec is not None and spec.dtype.name == "string"
        return is_text and spec.shape.rank in (None, 1)

    def _the_one_input(self) -> Any:
        _, named = self.functions[DEFAULT].structured_input_signature
        specs = list(named.values())
        return specs[0] if len(specs) == 1 else None

    def ask(self, signature: str, x: Any) -> dict[str, np.ndarray]:
        import tensorflow as tf

        function = self.functions[signature]
        specs = function.structured_input_signature[1]
        if not isinstance(x, Mapping):
            x = {next(iter(specs)) if len(specs) == 1 else "inputs": x}
        if set(x) != set(specs):
            raise ValueError(
                f"The model takes the inputs {sorted(specs)}. "
                f"Received: {sorted(x)}"
            )
        tensors = {
            name: tf.cast(tf.convert_to_tensor(x[name]), specs[name].dtype)
            for name in specs
        }
        return {name: y.numpy() for name, y in function(**tensors).items()}


def _checked_kind(
    output_kind: str | None, is_ours: bool, folder: pathlib.Path
) -> str:
    kinds = {name: None for name in MIXTURES if name not in NUMBERS}
    if is_ours:
        if output_kind not in (None, "probabilities"):
            raise ValueError(
                "A model of `export_for_serving` answers probabilities: leave "
                f"`output_kind` out. Received: output_kind={output_kind!r}"
            )
        return "probabilities"
    if output_kind is None:
        raise ValueError(
            f"The SavedModel {str(folder)!r} does not say what its outputs "
            f"are: pass `output_kind`, one of {list(kinds)}. "
            "Received: output_kind=None"
        )
    lookup(kinds, output_kind, "output kind")
    return output_kind


def _the_one_output(name: str, answer: dict[str, np.ndarray]) -> np.ndarray:
    shapes = {key: array.shape for key, array in answer.items()}
    arrays = list(answer.values())
    if len(arrays) != 1 or arrays[0].ndim != 2:
        raise ValueError(
            f"{name!r} must have one output of shape (batch, classes). "
            f"Received: output shapes={shapes}"
        )
    return arrays[0]

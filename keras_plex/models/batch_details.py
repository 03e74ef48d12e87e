"""One forward pass of any classifier over one batch, with its features."""

import weakref
from typing import Any

import keras
import numpy as np
from keras import ops
from keras import tree

from keras_plex.batches import as_input
from keras_plex.batches import lists_as_arrays
from keras_plex.conversion.surgery import walk_layers
from keras_plex.conversion.traced_heads import recorded_calls
from keras_plex.models.classifiers import output_layer
from keras_plex.models.device_batches import predict_one_batch
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.types import Tensor


def predict_batch(
    model: keras.Model, x: Any, *, features: bool = False
) -> dict[str, np.ndarray]:
    """What a classifier says about one batch, from one forward pass.

    The model and its compiled functions stay as they are. Where features are
    asked of a stock model, the pass is compiled once and follows its weights.

    Args:
        model: a `PlexModel` or another ensemble, or any Keras classifier,
            which counts as one member.
        x: one batch of what `predict` takes.
        features: whether to return the inputs of the output layer, too.

    Returns:
        Arrays by name: `outputs` `(batch, ensemble, classes)`, `variance` for
        a head with a covariance, and `features` `(batch, ensemble, dim)` if
        asked for.

    Example:

    >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(3)]
    >>> model = keras.Sequential([keras.Input((4,)), *layers])
    >>> found = predict_batch(model, np.ones((5, 4)), features=True)
    >>> {name: array.shape for name, array in found.items()}
    {'outputs': (5, 1, 3), 'features': (5, 1, 8)}
    """
    x = tree.map_structure(as_input, lists_as_arrays(x))
    # A KerasHub task, some of whose tokenizers take no arrays of strings.
    preprocess = getattr(model, "preprocess_samples", None)
    if preprocess is not None:
        x = tree.map_structure(_texts_as_list, x)
    if isinstance(model, MemberOutputs):
        return model.predict_details(x, features=features, on_batch=True)
    if not features:
        return {"outputs": _one_member(model, predict_one_batch(model, x))}
    if preprocess is not None:
        x, _, _ = keras.utils.unpack_x_y_sample_weight(preprocess(x))
        x = tree.map_structure(ops.convert_to_tensor, x)
    found = predict_one_batch(_feature_pass(model), x)
    return {
        "outputs": _one_member(model, found["outputs"]),
        "features": np.expand_dims(found["features"], 1),
    }


def _texts_as_list(leaf: Any) -> Any:
    if not isinstance(leaf, np.ndarray) or leaf.dtype.kind not in "OSU":
        return leaf
    texts = leaf.tolist()
    return [x.decode() if isinstance(x, bytes) else x for x in texts]


def call_with_features(
    model: keras.Model, inputs: Any
) -> tuple[Tensor, Tensor]:
    """A stock model's outputs, and what reaches its output layer.

    Runs eagerly and inside graphs. The output layer is the `Dense` that
    `output_layer` finds; in a subclassed model, the one whose outputs the
    model returns.

    Args:
        model: a built Keras model with one output.
        inputs: what the model is called with.

    Returns:
        The outputs `(batch, classes)`, and features `(batch, dim)` in float32.
    """
    head = output_layer(model)
    layers = [head.layer] if head else _dense_layers(model)
    with recorded_calls(layers) as calls:
        outputs = model(inputs, training=False)
    made = [
        call.inputs
        for call in calls
        if head is not None or call.outputs is outputs
    ]
    if not made or len(made[-1].shape) != 2:
        raise ValueError(
            f"{model.name!r} has no `Dense` output layer that takes one vector "
            "per example, and its inputs are the features. Use a score of the "
            'forecast, such as "msp", or let the model end in `Dense`.'
        )
    return outputs, ops.cast(made[-1], "float32")


class _FeaturePass(keras.Model):
    """Gives `outputs` and `features` of a model that it does not keep alive.

    Its variables are those of the model: JAX asks for them at each call.
    """

    def __init__(self, reference: weakref.ref):
        super().__init__(name="feature_pass")
        self.reference = reference

    def build(self, input_shape=None) -> None:
        """Nothing: the model is built."""

    def call(self, inputs, training=None):
        outputs, features = call_with_features(self.reference(), inputs)
        return {"outputs": outputs, "features": features}

    @property
    def variables(self) -> list:
        return self.reference().variables

    @property
    def trainable_variables(self) -> list:
        return self.reference().trainable_variables

    @property
    def non_trainable_variables(self) -> list:
        return self.reference().non_trainable_variables


_passes: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _feature_pass(model: keras.Model) -> _FeaturePass:
    """The model's feature pass, compiled like the model."""
    settings = (model.jit_compile, model.run_eagerly)
    known = _passes.get(model)
    if known is None or known[1] != settings:
        feature_pass = _FeaturePass(weakref.ref(model))
        feature_pass.compile(jit_compile=settings[0], run_eagerly=settings[1])
        known = _passes[model] = (feature_pass, settings)
    return known[0]


def _dense_layers(model: keras.Model) -> list[keras.layers.Layer]:
    layers = walk_layers(model)
    return [layer for layer in layers if type(layer) is keras.layers.Dense]


def _one_member(model: keras.Model, outputs: Any) -> np.ndarray:
    if tree.is_nested(outputs) or np.ndim(outputs) != 2:
        shapes = tree.map_structure(np.shape, outputs)
        raise ValueError(
            f"{model.name!r} must have one output of shape (batch, classes). "
            f"Received: output shapes={shapes}"
        )
    # (batch, classes) -> (batch, ensemble, classes)
    return np.expand_dims(ops.convert_to_numpy(outputs), 1)

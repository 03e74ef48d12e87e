"""Models side by side as one layer."""

import contextlib
from collections.abc import Iterator
from collections.abc import Sequence

import keras
from keras import tree

from keras_plex.conversion import forward_pass
from keras_plex.conversion.heads import Head
from keras_plex.conversion.heads import find_head
from keras_plex.conversion.surgery import with_mixin
from keras_plex.ops.masks import join_with_masks
from keras_plex.types import Tensor


class MemberRows(keras.layers.Layer):
    """Calls each model on the same inputs and joins what they return.

    Rows come out member-major: `row = member * batch + example`.

    Args:
        models: models with the same inputs and outputs.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        That of each model.

    Output shape:
        `(len(models) * batch, ...)` for a model's `(batch, ...)`.

    Example:

    >>> inputs = keras.Input((4,))
    >>> one, two = keras.layers.Dense(3), keras.layers.Dense(3)
    >>> models = [keras.Model(inputs, layer(inputs)) for layer in (one, two)]
    >>> tuple(MemberRows(models)(np.ones((5, 4), "float32")).shape)
    (10, 3)
    """

    def __init__(self, models: Sequence[keras.Model], **kwargs):
        # The models cast their inputs themselves.
        super().__init__(**{"autocast": False, **kwargs})
        self.members = list(models)

    def build(self, input_shape=None) -> None:
        """Nothing: the models are built."""

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        rows, features = [], []
        for member in self.members:
            with self._recording(member), forward_pass.model_pass(False) as one:
                rows.append(member(inputs, training=training))
                features.append(one.head_inputs)
        if all(x is not None for x in features):
            forward_pass.record_head_inputs(join_with_masks(features))
        # A (batch, ...) for each member -> (ensemble * batch, ...)
        return tree.map_structure(lambda *xs: join_with_masks(xs), *rows)

    @property
    def metrics(self) -> list[keras.Metric]:
        """None: those that the models were compiled with see no data."""
        return []

    @contextlib.contextmanager
    def _recording(self, member: keras.Model) -> Iterator[None]:
        # Only while it is asked for, as the models are not ours to change.
        is_wanted = forward_pass.mode() == forward_pass.FEATURES
        head: Head | None = find_head(member) if is_wanted else None
        if head is None:
            yield
            return
        with with_mixin(head.layer, forward_pass.RecordsInputs):
            yield

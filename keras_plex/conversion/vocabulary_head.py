"""The output layer of a language model: an embedding, used backwards."""

import contextlib
import math
import threading
from collections.abc import Iterator

import keras

from keras_plex.conversion.heads import Head
from keras_plex.conversion.surgery import add_mixin
from keras_plex.conversion.surgery import producer
from keras_plex.conversion.surgery import upgrade_layer
from keras_plex.layers.vocabulary_gp import VocabularyGP
from keras_plex.ops.ensemble_axis import tile_members
from keras_plex.types import Config
from keras_plex.types import Tensor


def find_vocabulary_head(model: keras.Model) -> Head | None:
    """The embedding that makes a model's only output, or `None`."""
    if len(getattr(model, "outputs", None) or []) != 1:
        return None
    operation, _ = producer(model.outputs[0])
    if type(operation) is not keras.layers.ReversibleEmbedding:
        return None
    return Head(operation, "linear")


def is_vocabulary_head(head: Head | None) -> bool:
    """Whether a head is an embedding, converted or not."""
    return head is not None and isinstance(
        head.layer, keras.layers.ReversibleEmbedding
    )


def convert_vocabulary_head(
    head: Head, ensemble_size: int, options: Config
) -> None:
    """Makes the embedding, backwards, a Gaussian process over its words.

    Args:
        head: of `find_vocabulary_head`.
        ensemble_size: positive int.
        options: of `RandomFeatureGP`; the mean function is the stock layer,
            unless they say otherwise.
    """
    layer = head.layer
    is_linear = options.get("kernel") == "linear"
    dim = layer.output_dim
    defaults = {
        "mean_function": "linear",
        # A normalized input has the norm sqrt(d); chosen in docs/defaults.md.
        "length_scale": math.sqrt(dim if is_linear else dim / 2),
    }
    template = VocabularyGP(layer.input_dim, dim, **{**defaults, **options})
    upgrade_layer(layer, template, input_dim=dim)
    layer.supports_masking = True  # Keras would warn that it drops masks.
    add_mixin(layer, SeesPadding, row_ensemble_size=ensemble_size)


class SeesPadding:
    """Mixin in front of the vocabulary's head: padding does not count.

    Its covariance is that of tokens; which of them are padding the model
    knows, but no layer's outputs tell.
    """

    def __call__(self, inputs, *args, **kwargs):
        mask = _current.mask
        if kwargs.get("reverse") and mask is not None:
            kwargs["mask"] = tile_members(mask, self.row_ensemble_size)
        return super().__call__(inputs, *args, **kwargs)


class _Current(threading.local):
    mask: Tensor | None = None


_current = _Current()


@contextlib.contextmanager
def counting_tokens(mask: Tensor | None) -> Iterator[None]:
    """Within it, only tokens whose `(batch, length)` mask is true count."""
    old, _current.mask = _current.mask, mask
    try:
        yield
    finally:
        _current.mask = old

"""Prompts of any form that `generate` takes, as batches of token ids."""

import dataclasses
from typing import Any

import numpy as np
from keras import ops
from keras import tree

from keras_plex.types import Tensor

# What a model calls its tokens, and their padding mask: (prompt, generated).
TOKENS = {
    "decoder_token_ids": "decoder_padding_mask",
    "token_ids": "padding_mask",
}


@dataclasses.dataclass(frozen=True)
class Prompts:
    """Batches of what a language model's `generate_step` takes.

    Args:
        batches: dicts of token ids and padding masks.
        is_single: whether there was one prompt without a batch axis.
    """

    batches: list[dict[str, Tensor]]
    is_single: bool

    @classmethod
    def from_inputs(
        cls, inputs: Any, preprocessor: Any, max_length: int | None
    ) -> "Prompts":
        """The batches of strings or token ids.

        Args:
            inputs: what `generate` takes.
            preprocessor: of the model, or `None`.
            max_length: of the sequences, where there is a preprocessor.
        """
        if hasattr(inputs, "as_numpy_iterator"):
            batches, is_single = list(inputs.as_numpy_iterator()), False
        else:
            is_single = preprocessor is not None and _is_single(inputs)
            if is_single:
                inputs = tree.map_structure(lambda x: [x], inputs)
            batches = [inputs]
        if preprocessor is not None:
            batches = [
                preprocessor.generate_preprocess(x, sequence_length=max_length)
                for x in batches
            ]
        return cls(batches, is_single)


def token_names(batch: dict[str, Tensor]) -> tuple[str, str]:
    """The names of the written tokens and of their padding mask."""
    for tokens, mask in TOKENS.items():
        if tokens in batch:
            return tokens, mask
    raise ValueError(
        "A prompt must be a dict with one of the keys "
        f"{', '.join(TOKENS)}. Received: {sorted(batch)}"
    )


def padding_mask(inputs: Any) -> Tensor | None:
    """Which of the written tokens count, where a model's inputs tell."""
    if not isinstance(inputs, dict):
        return None
    found = [inputs[mask] for mask in TOKENS.values() if mask in inputs]
    return found[0] if found else None


def to_array(x: Tensor) -> np.ndarray:
    """A tensor of any backend, or of TensorFlow's preprocessing, as array."""
    return np.asarray(x) if not ops.is_tensor(x) else ops.convert_to_numpy(x)


def _is_single(inputs: Any) -> bool:
    leaves = inputs.values() if isinstance(inputs, dict) else [inputs]
    return all(isinstance(x, str) or np.ndim(x) == 0 for x in leaves)

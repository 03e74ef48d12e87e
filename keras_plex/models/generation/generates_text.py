"""What converted language models share: text with its uncertainty."""

from typing import Any

import keras
import numpy as np
from keras import ops
from keras import tree

from keras_plex.conversion.vocabulary_head import counting_tokens
from keras_plex.models.generation.generated_text import GeneratedText
from keras_plex.models.generation.prompts import Prompts
from keras_plex.models.generation.prompts import padding_mask
from keras_plex.models.generation.prompts import to_array
from keras_plex.models.generation.prompts import token_names
from keras_plex.models.generation.stop_tokens import stop_tokens
from keras_plex.models.generation.token_measures import TokenMeasures
from keras_plex.types import Config

TOKENS = "tokens"


class GeneratesText:
    """Mixin in front of a converted KerasHub `CausalLM` or `Seq2SeqLM`."""

    def call(self, inputs: Any, *args, **kwargs) -> Any:
        with counting_tokens(padding_mask(inputs)):
            return super().call(inputs, *args, **kwargs)

    def make_generate_function(self) -> Any:
        # Before both ways to generate: each asks for the function first.
        self.forget_stale_functions()
        return super().make_generate_function()

    def generate_with_uncertainty(
        self,
        inputs: Any,
        max_length: int | None = None,
        stop_token_ids: Any = "auto",
    ) -> GeneratedText:
        """Generates text and says how sure the members are of each token.

        The sampler is that of `compile`. After it one pass over prompt and
        generated tokens gives every member's distribution of each token.

        Args:
            inputs: what `generate` takes: strings, token ids, or a
                `tf.data.Dataset` of batches of them.
            max_length: of the sequences, prompt included; as of `generate`.
            stop_token_ids: `"auto"` for where `generate` stops, a tuple of
                ids, or `None` to write until `max_length`.

        Example:

        >>> import keras_hub
        >>> backbone = keras_hub.models.T5Backbone(16, 2, 2, 8, 8)
        >>> stock = keras_hub.models.T5Seq2SeqLM(backbone)
        >>> model = keras_plex.plexify(stock, last_blocks=1, seed=0)
        >>> model.compile(sampler="greedy")
        >>> prompts = {
        ...     "encoder_token_ids": np.array([[5, 7, 1]]),
        ...     "encoder_padding_mask": np.ones((1, 3), bool),
        ...     "decoder_token_ids": np.zeros((1, 6), int),
        ...     "decoder_padding_mask": np.array([[True] + [False] * 5]),
        ... }
        >>> found = model.generate_with_uncertainty(
        ...     prompts, stop_token_ids=None
        ... )
        >>> found.entropy.shape, found.confidence.shape
        ((1, 6), (1,))
        """
        prompts = Prompts.from_inputs(inputs, self.preprocessor, max_length)
        stop = stop_tokens(self, stop_token_ids)
        step = self.make_generate_function()
        found = [self._measured(batch, step, stop) for batch in prompts.batches]
        fields = {
            name: np.concatenate([one[name] for one in found])
            for name in found[0]
            if name != "text"
        }
        lines = None
        if self.preprocessor is not None:
            lines = [line for one in found for line in one["text"]]
        if lines is None or not prompts.is_single:
            return GeneratedText(text=lines, **fields)
        fields = {name: x[0] for name, x in fields.items()}
        return GeneratedText(text=lines[0], **fields)

    def get_compile_config(self) -> Config:
        """As of the stock class, and the sampler."""
        config = super().get_compile_config()
        if config:
            sampler = keras.saving.serialize_keras_object(self.sampler)
            config["sampler"] = sampler
        return config

    def forget_compiled_functions(self) -> None:
        """Drops the functions that hold the outputs' meaning in a graph."""
        super().forget_compiled_functions()
        self.generate_function = None

    def _measured(self, prompt: dict, step: Any, stop: Any) -> dict[str, Any]:
        """One batch: what it became, and what the members say of it."""
        written = step(prompt, stop_token_ids=stop)
        tokens, mask = token_names(prompt)
        before = to_array(prompt[mask]).astype(bool)
        after = to_array(written[mask]).astype(bool)
        generated = after & ~before
        inputs = {**prompt, tokens: written[tokens], mask: after | before}
        inputs = tree.map_structure(
            lambda x: ops.convert_to_tensor(to_array(x)), inputs
        )
        functions = self._plex.functions  # `compile` empties it
        if TOKENS not in functions:
            functions[TOKENS] = TokenMeasures(self)
        measured = functions[TOKENS].predict_on_batch(inputs)
        found = {
            "token_ids": to_array(written[tokens]),
            "generated": generated,
            **{
                name: np.where(generated, to_array(x), 0.0)
                for name, x in measured.items()
            },
        }
        if self.preprocessor is not None:
            found["text"] = self.preprocessor.generate_postprocess(written)
        return found

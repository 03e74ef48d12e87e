"""The tokens at which a language model stops by itself."""

from typing import Any

import keras

from keras_plex.conversion.families.family import has_ancestor

# Class of KerasHub -> the end of a turn, at which its `generate` stops, too.
TURN_ENDS = {
    "Gemma3CausalLM": "<end_of_turn>",
    "Gemma3nCausalLM": "<end_of_turn>",
    "Gemma4CausalLM": "<turn|>",
    "Phi3CausalLM": "<|end|>",
}


def stop_tokens(model: keras.Model, stop_token_ids: Any) -> Any:
    """The ids that `generate` of the stock class would stop at.

    Args:
        model: a language model of KerasHub.
        stop_token_ids: `None`, ids, or `"auto"` for those of its tokenizer.
    """
    if not isinstance(stop_token_ids, str):
        return stop_token_ids
    preprocessor = model.preprocessor
    if stop_token_ids != "auto" or preprocessor is None:
        raise ValueError(
            '`stop_token_ids` must be None, a tuple of token ids, or "auto"'
            " where the model has a preprocessor. Received: "
            f"stop_token_ids={stop_token_ids!r}, preprocessor={preprocessor}"
        )
    tokenizer = preprocessor.tokenizer
    names = ("end_token_id", "end_token2_id")
    ids = [getattr(tokenizer, name, None) for name in names]
    ends = [
        tokenizer.token_to_id(token)
        for name, token in TURN_ENDS.items()
        if has_ancestor(model, "keras_hub", name)
    ]
    # 0 is what a vocabulary without it answers.
    return [token for token in [*ids, *filter(None, ends)] if token is not None]

"""Which mixin makes `generate` of a converted model right."""

import dataclasses
from collections.abc import Callable

import keras

from keras_plex.conversion.convert import Conversion
from keras_plex.conversion.families.family import has_ancestor
from keras_plex.models.generation.member_decoder import MemberDecoder
from keras_plex.models.generation.refuses_generate import RefusesGenerate
from keras_plex.models.generation.tiled_prompts import TiledPrompts


@dataclasses.dataclass(frozen=True)
class LanguageModel:
    """A way to generate.

    Args:
        is_member: whether it serves a model, converted so.
        mixin: in front of the model's class.
    """

    is_member: Callable[[keras.Model, Conversion], bool]
    mixin: type


def _is_t5(model: keras.Model, conversion: Conversion) -> bool:
    is_t5 = has_ancestor(model, "keras_hub", "T5Seq2SeqLM")
    return is_t5 and not conversion.layout.tiled_inputs


# The first that serves a model is taken; the cheapest come first.
LANGUAGE_MODELS: dict[str, LanguageModel] = {
    "t5": LanguageModel(_is_t5, MemberDecoder),
    "keras_hub": LanguageModel(
        lambda model, conversion: has_ancestor(model, "keras_hub", "CausalLM"),
        TiledPrompts,
    ),
    "other": LanguageModel(
        lambda model, conversion: callable(getattr(model, "generate", None)),
        RefusesGenerate,
    ),
}


def generation_mixins(
    model: keras.Model, conversion: Conversion
) -> tuple[type, ...]:
    """The mixin for a model that generates; none for others.

    Args:
        model: converted, still of its stock class.
        conversion: what became of it.
    """
    found = [
        row.mixin
        for row in LANGUAGE_MODELS.values()
        if row.is_member(model, conversion)
    ]
    return tuple(found[:1])

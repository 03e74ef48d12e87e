"""KerasHub's language models: their output layer is an embedding, backwards."""

from keras_plex.conversion.families.family import Family
from keras_plex.conversion.families.family import has_ancestor

FAMILY = Family(
    is_member=lambda model: has_ancestor(model, "keras_hub", "CausalLM"),
    default_head="keep",
)

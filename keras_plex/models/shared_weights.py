"""Members learn, what they share stays: fine-tuning of few weights."""

import keras

from keras_plex.conversion.copying import copy_compilation
from keras_plex.conversion.surgery import learnable_variables
from keras_plex.conversion.surgery import walk_layers
from keras_plex.conversion.trainable_flags import train_only

# Weights of a layer that are not shared by the members, or small updates.
OWN_WEIGHTS = (
    "alpha",
    "gamma",
    "member_bias",
    "lora_a",
    "lora_b",
    "lora_kernel_a",
    "lora_kernel_b",
    "lora_embeddings_a",
    "lora_embeddings_b",
)


def freeze_shared_weights(model: keras.Model) -> None:
    """Freezes what members share; see `PlexModel.freeze_shared_weights`."""
    heads = [head.layer for head in model.conversion.heads if head]
    with_head = {id(x) for head in heads for x in (head, *walk_layers(head))}
    converted = {id(layer) for layer in model.conversion.converted}
    learning = []
    for layer in walk_layers(model):
        has_lora = getattr(layer, "lora_enabled", False)
        has_own = has_lora or id(layer) in converted
        learns_all = id(layer) in with_head and not has_lora
        for variable in learnable_variables(layer):
            if learns_all or (has_own and variable.name in OWN_WEIGHTS):
                learning.append(variable)
    train_only(model, learning)
    model.forget_compiled_functions()
    if getattr(model, "optimizer", None) is not None:
        copy_compilation(model, model)

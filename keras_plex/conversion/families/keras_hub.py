"""Every backbone and task of KerasHub that has no row of its own."""

import inspect

import keras

from keras_plex.conversion.families.family import Family
from keras_plex.conversion.families.family import has_ancestor
from keras_plex.types import Tensor


def is_member(model: keras.Model) -> bool:
    """Whether it is a backbone or task of KerasHub."""
    return is_backbone(model) or has_ancestor(model, "keras_hub", "Task")


def is_backbone(model: keras.Model) -> bool:
    """Whether it is a KerasHub model without an output layer."""
    return has_ancestor(model, "keras_hub", "Backbone")


def with_head(backbone: keras.Model, num_classes: int) -> keras.Model:
    """KerasHub's classifier for this backbone, else pooling and a `Dense`."""
    task = classifier_class(backbone)
    if task is not None:
        return task(backbone=backbone, num_classes=num_classes)
    head = keras.layers.Dense(
        num_classes, dtype=backbone.dtype_policy, name="predictions"
    )
    outputs = head(pool(backbone))
    name = f"{backbone.name}_classifier"
    return keras.Model(backbone.input, outputs, name=name)


def classifier_class(backbone: keras.Model) -> type | None:
    """KerasHub's classifier for the most specific class of the backbone."""
    import keras_hub

    models = keras_hub.models
    bases = (models.ImageClassifier, models.TextClassifier)
    depths = {
        task: len(task.backbone_cls.__mro__)
        for task in vars(models).values()
        if inspect.isclass(task)
        and issubclass(task, bases)
        and task.backbone_cls is not None
        and isinstance(backbone, task.backbone_cls)
    }
    return max(depths, key=lambda task: depths[task]) if depths else None


def pool(backbone: keras.Model) -> Tensor:
    """One vector for each example, made from what a backbone puts out.

    That is its pooled output, its class token, or the mean over all places
    that its padding mask does not hide.
    """
    outputs = backbone(backbone.input)
    if isinstance(outputs, dict):
        if "pooled_output" in outputs:
            return outputs["pooled_output"]
        outputs = outputs.get("sequence_output")
    rank = len(getattr(outputs, "shape", ()))
    if rank == 2:
        return outputs
    if rank == 3:
        return _pool_sequence(backbone, outputs)
    if rank == 4:
        data_format = getattr(backbone, "data_format", None)
        return keras.layers.GlobalAveragePooling2D(data_format)(outputs)
    raise ValueError(
        f"Cannot tell how to pool what {backbone.name!r} puts out. Put an "
        "output layer on it with `keras.Model(inputs, outputs)`, and convert "
        f"that without `num_classes`. Its outputs: {backbone.output}"
    )


def _pool_sequence(backbone: keras.Model, tokens: Tensor) -> Tensor:
    for name in ("cls_token_index", "start_token_index"):
        index = getattr(backbone, name, None)
        if index is not None:
            return tokens[:, index]
    mask = None
    if isinstance(backbone.input, dict):
        mask = backbone.input.get("padding_mask")
    return keras.layers.GlobalAveragePooling1D(name="pooler")(tokens, mask=mask)


FAMILY = Family(
    is_member=is_member,
    is_backbone=is_backbone,
    with_head=with_head,
)

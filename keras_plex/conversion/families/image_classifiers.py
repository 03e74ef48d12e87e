"""KerasHub's image classifiers: convolutional ones, and Swin and MiT."""

import keras

from keras_plex.conversion.families.family import Family
from keras_plex.conversion.families.family import has_ancestor


def image_classifier(name: str, block_names: str | None = None) -> Family:
    """The family of `<name>Backbone` and the tasks around it.

    Args:
        name: as KerasHub begins the names of the two classes.
        block_names: as in `Family`.
    """

    def is_backbone(model: keras.Model) -> bool:
        return has_ancestor(model, "keras_hub", f"{name}Backbone")

    def is_member(model: keras.Model) -> bool:
        is_task = has_ancestor(model, "keras_hub", "ImageClassifier")
        backbone = getattr(model, "backbone", None)
        return is_backbone(model) or (is_task and is_backbone(backbone))

    def with_head(backbone: keras.Model, num_classes: int) -> keras.Model:
        import keras_hub

        task = getattr(keras_hub.models, f"{name}ImageClassifier")
        return task(
            backbone=backbone, num_classes=num_classes, preprocessor=None
        )

    return Family(
        is_member=is_member,
        is_backbone=is_backbone,
        with_head=with_head,
        block_names=block_names,
    )


IMAGE_CLASSIFIERS: dict[str, Family] = {
    "resnet": image_classifier("ResNet", r"stack\d+_block\d+"),
    "efficientnet": image_classifier("EfficientNet", r"block\d+[a-z]_"),
    "swin_transformer": image_classifier("SwinTransformer"),
    "mit": image_classifier("MiT"),
}

"""A pretrained KerasHub preset in, a model that says how sure it is out."""

import dataclasses
import pathlib
from typing import Any

import keras

from keras_plex.conversion.settings import Settings
from keras_plex.hub.late_classes import LATE_CLASSES
from keras_plex.hub.late_classes import late_class
from keras_plex.models.plex_model import PlexModel
from keras_plex.plexify import plexify
from keras_plex.types import Config

# The first task that knows a preset's backbone makes the model. KerasHub finds
# ours among text classifiers only once it is imported: it has a row of its own.
CLASSIFIERS = ("ImageClassifier", "T5Classifier", "TextClassifier")
TASKS = (*CLASSIFIERS, "Seq2SeqLM", "CausalLM")
# What KerasHub saves of a preprocessor, besides the files of a vocabulary.
PREPROCESSING = (
    "preprocessor.json",
    "tokenizer.json",
    "image_converter.json",
    "audio_converter.json",
)


def from_preset(
    name: str,
    *,
    num_classes: int | None = None,
    load_weights: bool = True,
    preset_options: Config | None = None,
    **plexify_arguments: Any,
) -> PlexModel:
    """Loads a KerasHub preset and converts it with `plexify`.

    The model is KerasHub's own task for the preset: an `ImageClassifier` or
    `TextClassifier` (of T5, our `T5Classifier`), else a `Seq2SeqLM` or
    `CausalLM`. Its preprocessor comes along, so raw images or strings go in.
    For another task, convert what its own `from_preset` gives.

    Args:
        name: what KerasHub's `from_preset` takes: the name of a preset
            (`"vit_base_patch16_224_imagenet"`), a handle (`"hf://..."`,
            `"kaggle://..."`) or a folder made by `save_to_preset`.
        num_classes: gives the model a new head with as many classes; needed
            for a preset without one. Where KerasHub has no classifier for the
            backbone, it is pooled, and there is no preprocessor; nor is there
            in a folder of a backbone alone.
        load_weights: bool, `False` for random weights. Defaults to `True`.
        preset_options: dict of other arguments of KerasHub's `from_preset`,
            such as `{"dtype": "mixed_bfloat16"}`.
        **plexify_arguments: of `plexify`, such as `ensemble_size=3`.

    Returns:
        A `PlexModel`.

    Raises:
        ModuleNotFoundError: without KerasHub, with the pip line.
        ValueError: for a preset that KerasHub does not find or that needs
            `num_classes`, and for arguments that `plexify` does not take.

    Example:

    >>> import tempfile, keras_hub
    >>> backbone = keras_hub.models.ViTBackbone((8, 8, 1), 4, 2, 2, 8, 8)
    >>> folder = tempfile.mkdtemp()
    >>> backbone.save_to_preset(folder)
    >>> model = from_preset(folder, num_classes=5, last_blocks=1)
    >>> tuple(model(np.zeros((2, 8, 8, 1))).shape)
    (2, 5)
    """
    check_arguments(plexify_arguments, preset_options)
    models = _keras_hub_models()
    options = {"load_weights": load_weights, **(preset_options or {})}
    if num_classes is not None:
        stock = _load_first(models, CLASSIFIERS, name, options, num_classes)
        if stock is not None:
            return plexify(stock, **plexify_arguments)
        stock = models.Backbone.from_preset(name, **options)
        return plexify(stock, num_classes=num_classes, **plexify_arguments)
    stock = _load_first(models, TASKS, name, options)
    if stock is None:
        raise ValueError(
            f"KerasHub has no task of {', '.join(TASKS)} for the backbone of "
            f"{name!r}. Pass `num_classes=` to put an output layer on it. "
            "Received: num_classes=None"
        )
    return plexify(stock, **plexify_arguments)


def check_arguments(
    plexify_arguments: Config, preset_options: Config | None
) -> None:
    """Raises before anything is downloaded."""
    known = [field.name for field in dataclasses.fields(Settings)]
    unknown = [key for key in plexify_arguments if key not in known]
    if unknown:
        raise ValueError(
            f"`from_preset` has no argument {unknown[0]!r}. It takes "
            "`num_classes`, `load_weights`, `preset_options` for KerasHub's "
            f"`from_preset`, and those of `plexify`: {', '.join(known)}."
        )
    Settings(**plexify_arguments)
    twice = {"num_classes", "load_weights"} & set(preset_options or {})
    if twice:
        raise ValueError(
            f"Pass {sorted(twice)[0]!r} to `from_preset` itself. "
            f"Received: preset_options={preset_options!r}"
        )


def _keras_hub_models() -> Any:
    try:
        import keras_hub
    except ImportError as error:
        raise ModuleNotFoundError(
            "A preset needs KerasHub. Install it with "
            '`pip install "keras_plex[hub]"`.',
            name="keras_hub",
        ) from error
    return keras_hub.models


def _load_first(
    models: Any,
    tasks: tuple[str, ...],
    name: str,
    options: Config,
    num_classes: int | None = None,
) -> keras.Model | None:
    if num_classes is not None:
        options = {**options, "num_classes": num_classes}
    lacks_head: TypeError | None = None
    for task in tasks:
        if lacks_head is not None and task in CLASSIFIERS:
            continue
        try:
            return _load(_task_class(models, task), name, options)
        except ValueError as error:
            # Told by the message: KerasHub says the class of a preset's
            # backbone nowhere else before it loads weights.
            if "Unable to find a subclass" not in str(error):
                raise ValueError(
                    f"{error}\n`keras_plex.from_preset` takes what "
                    f"`{task}.from_preset` takes, which could not load this."
                ) from error
        except TypeError as error:
            if num_classes is not None or "'num_classes'" not in str(error):
                raise
            lacks_head = error  # a language model may have one
    if lacks_head is None:
        return None
    raise ValueError(
        f"The preset {name!r} has no output layer. Pass `num_classes=` to give "
        "it one. Received: num_classes=None"
    ) from lacks_head


def _task_class(models: Any, name: str) -> Any:
    return late_class(name) if name in LATE_CLASSES else getattr(models, name)


def _load(task: Any, name: str, options: Config) -> keras.Model:
    try:
        return task.from_preset(name, **options)
    except FileNotFoundError:
        if "preprocessor" in options or _has_preprocessing(name):
            raise
        # A folder of a backbone alone has no preprocessor.
        return task.from_preset(name, preprocessor=None, **options)


def _has_preprocessing(name: str) -> bool:
    """Whether a folder says how its model is fed: then nothing may lack."""
    return any((pathlib.Path(name) / file).exists() for file in PREPROCESSING)

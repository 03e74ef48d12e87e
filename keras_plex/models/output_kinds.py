"""What the numbers that a model returns mean."""

import re
import warnings

import keras
import numpy as np
from keras import ops

from keras_plex.conversion.families.family import has_ancestor
from keras_plex.conversion.heads import Head
from keras_plex.layers.random_feature_gp import RandomFeatureGP
from keras_plex.models.output_sources import Source
from keras_plex.ops.probabilities import OUTPUT_KINDS
from keras_plex.ops.probabilities import member_probabilities

# Loss, in Keras's snake case -> what a linear output layer then returns.
KINDS_BY_LOSS = {
    "categorical_crossentropy": "softmax_logits",
    "sparse_categorical_crossentropy": "softmax_logits",
    "categorical_focal_crossentropy": "softmax_logits",
    "binary_crossentropy": "sigmoid_logits",
    "binary_focal_crossentropy": "sigmoid_logits",
    "mean_squared_error": "regression",
    "mean_absolute_error": "regression",
    "mean_squared_logarithmic_error": "regression",
    "mean_absolute_percentage_error": "regression",
    "huber": "regression",
    "poisson": "regression",
    "cosine_similarity": "regression",
    "hinge": "regression",
    "squared_hinge": "regression",
    "categorical_hinge": "regression",
    "log_cosh": "regression",
}
# Last activation -> what the outputs then are. Log-probabilities are logits of
# their own softmax; the mean of probabilities is that of rates.
KINDS_BY_ACTIVATION = {
    "softmax": "probabilities",
    "sigmoid": "probabilities",
    "log_softmax": "softmax_logits",
    "log_sigmoid": "log_rates",
}
# Likelihood of a head -> what its linear output is; "gaussian" says nothing.
KINDS_BY_LIKELIHOOD = {
    "softmax": "softmax_logits",
    "binary_logistic": "sigmoid_logits",
    "poisson": "log_rates",
}


def kinds_of_model(
    model: keras.Model, sources: list[Source | None]
) -> tuple[str, ...]:
    """The kind of each flat output, as far as one can tell.

    Softmax and sigmoid outputs are probabilities. A linear output is what the
    loss of a compiled model says; else logits for a KerasHub task or for
    several units, and a regression for one unit. Features of a KerasHub
    backbone are averaged as a regression is.
    """
    if has_ancestor(model, "keras_hub", "CausalLM"):
        # Its head is an embedding, backwards; sequence-to-sequence models too.
        return ("softmax_logits",) * len(sources)
    if _gives_features(model):
        return kinds_under_loss(model, sources, ("regression",) * len(sources))
    is_task = has_ancestor(model, "keras_hub", "Task")
    guesses = tuple(_guess(source, is_task) for source in sources)
    return kinds_under_loss(model, sources, guesses)


def kinds_under_loss(
    model: keras.Model, sources: list[Source | None], kinds: tuple[str, ...]
) -> tuple[str, ...]:
    """`kinds`, with those of linear outputs replaced by what the loss says.

    A layer with a link or a likelihood of its own knows better than the loss.
    """
    losses = _losses_of(model, len(kinds))
    return tuple(
        _kind_of_layer(source) or _kind_of_loss(loss, source) or kind
        for loss, source, kind in zip(losses, sources, kinds, strict=True)
    )


def unsure_outputs(
    model: keras.Model, sources: list[Source | None]
) -> tuple[int, ...]:
    """Which flat outputs neither a layer nor the loss tells the kind of."""
    if has_ancestor(model, "keras_hub", "CausalLM") or _gives_features(model):
        return ()
    losses = _losses_of(model, len(sources))
    return tuple(
        number
        for number, (loss, source) in enumerate(
            zip(losses, sources, strict=True)
        )
        if source is None and _loss_name(loss) not in KINDS_BY_LOSS
    )


def warn_of_unsure_outputs(name: str, unsure: tuple[int, ...]) -> None:
    """Warns that the kind of these flat outputs of a model is a guess."""
    if unsure:
        numbers = ", ".join(map(str, unsure))
        warnings.warn(
            f"Cannot tell what {name!r} gives (output {numbers}): no known "
            "layer or activation makes it, and no loss says it. It is taken "
            "for probabilities, which is wrong for logits. Compile the model "
            "with its loss, or say it once the model is converted: "
            '`model.output_kinds = ("softmax_logits",)`, a kind for each '
            f"output. The kinds: {', '.join(OUTPUT_KINDS)}.",
            stacklevel=3,
        )


def _gives_features(model: keras.Model) -> bool:
    return has_ancestor(model, "keras_hub", "Backbone")


def _kind_of_layer(source: Source | None) -> str | None:
    """What a linear output is under its layer's own link or likelihood."""
    if source is None or source.activation != "linear":
        return None
    link = getattr(source.layer, "link", None)
    if link is not None:
        return f"{link}_logits"
    if not isinstance(source.layer, RandomFeatureGP):
        return None
    return KINDS_BY_LIKELIHOOD.get(source.layer.likelihood)


def _guess(source: Source | None, is_task: bool) -> str:
    if source is None:
        return "probabilities"
    if source.activation != "linear":
        return KINDS_BY_ACTIVATION.get(source.activation, "regression")
    if source.units == 1:
        return "sigmoid_logits" if is_task else "regression"
    return "softmax_logits"


def _losses_of(model: keras.Model, count: int) -> list:
    loss = getattr(model, "loss", None)
    if isinstance(loss, dict):
        names = getattr(model, "output_names", None)
        if names is None and len(loss) == count:
            names = sorted(loss)  # as a subclassed model's outputs are sorted
        return [loss.get(name) for name in names or [None] * count]
    if isinstance(loss, (list, tuple)):
        return list(loss)
    return [loss] * count


def _kind_of_loss(loss, source: Source | None) -> str | None:
    if source is None and not getattr(loss, "from_logits", False):
        return None
    if source is not None and source.activation != "linear":
        return None
    kind = KINDS_BY_LOSS.get(_loss_name(loss))
    if kind == "softmax_logits" and source is not None and source.units == 1:
        return "sigmoid_logits"  # the softmax of one logit is always 1
    return kind


def _loss_name(loss) -> str:
    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    name = getattr(loss, "__name__", type(loss).__name__)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def check_one_label(name: str, output_kind: str, head: Head | None) -> None:
    """Raises if the outputs are several labels of one example."""
    if head is None:
        return
    if head.activation == "log_sigmoid":
        raise ValueError(
            "Uncertainty is that of probabilities, and no other class stands "
            f"beside the log-probability that {name!r} gives. Leave its "
            "`log_sigmoid` out: a logit is of the kind "
            '"sigmoid_logits". Or use `predict_members`.'
        )
    if head.layer.units == 1:
        return
    if output_kind == "sigmoid_logits" or head.activation == "sigmoid":
        raise ValueError(
            "Uncertainty is that of one label per example, but "
            f"{name!r} gives {head.layer.units} independent labels. Use "
            "`predict_members`."
        )


def check_one_forecast(name: str, outputs: np.ndarray) -> None:
    """Raises if an example has several forecasts, as of its tokens."""
    if outputs.ndim != 3:
        raise ValueError(
            "Uncertainty is that of one forecast per example, but the members "
            f"of {name!r} give outputs of shape {outputs.shape}: (batch, "
            "ensemble, ...). Use `predict_members`."
        )


# Half precision rounds each of many classes: sums are off by up to 0.004.
PROBABILITY_TOLERANCE = 0.02


def check_probabilities(
    name: str, output_kind: str, outputs: np.ndarray
) -> None:
    """Raises for member outputs that are no probabilities of classes."""
    if output_kind not in ("probabilities", "sigmoid_logits"):
        return
    rows = ops.convert_to_numpy(member_probabilities(outputs, output_kind))
    sums = rows.sum(axis=-1)
    is_off = np.abs(sums - 1.0) > PROBABILITY_TOLERANCE
    if not is_off.any() and not (rows < -PROBABILITY_TOLERANCE).any():
        return
    raise ValueError(
        f"The outputs of {name!r} are taken for {output_kind}, and the "
        "probabilities of an example must be at least 0 and sum to 1. "
        f"Received: the smallest is {rows.min():.3g}, the sums are from "
        f"{sums.min():.3g} to {sums.max():.3g}. If the outputs are logits, say "
        'so: `model.output_kind = "softmax_logits"`, or "sigmoid_logits" for '
        "one unit. For several independent labels, or numbers, use "
        "`predict_members`."
    )


def the_one_output(name: str, kinds: tuple[str, ...]) -> str:
    """Its kind; raises if the model has several outputs."""
    first, *others = kinds
    if others:
        raise ValueError(
            f"{name!r} has {len(kinds)} outputs. This needs one: take "
            "`keras.Model(inputs, output)` before converting, or use "
            "`predict` and `predict_members`."
        )
    return first

"""What the numbers that a model returns mean."""

import re

import keras

from keras_plex.conversion.families.family import has_ancestor
from keras_plex.conversion.heads import Head
from keras_plex.layers.random_feature_gp import RandomFeatureGP

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
# Likelihood of a head -> what its linear output is; "gaussian" says nothing.
KINDS_BY_LIKELIHOOD = {
    "softmax": "softmax_logits",
    "binary_logistic": "sigmoid_logits",
    "poisson": "log_rates",
}


def kinds_of_model(
    model: keras.Model, heads: list[Head | None]
) -> tuple[str, ...]:
    """The kind of each flat output, as far as one can tell.

    Softmax and sigmoid outputs are probabilities. A linear output is what the
    loss of a compiled model says; else logits for a KerasHub task or for
    several units, and a regression for one unit.
    """
    if has_ancestor(model, "keras_hub", "CausalLM"):
        # Its head is an embedding, backwards; sequence-to-sequence models too.
        return ("softmax_logits",) * len(heads or [None])
    is_task = has_ancestor(model, "keras_hub", "Task")
    guesses = tuple(_guess(head, is_task) for head in heads or [None])
    return kinds_under_loss(model, heads, guesses)


def kinds_under_loss(
    model: keras.Model, heads: list[Head | None], kinds: tuple[str, ...]
) -> tuple[str, ...]:
    """`kinds`, with those of linear outputs replaced by what the loss says.

    A head with a link or a likelihood of its own knows better than the loss.
    """
    losses = _losses_of(model, len(kinds))
    return tuple(
        _kind_of_head(head) or _kind_of_loss(loss, head) or kind
        for loss, head, kind in zip(losses, heads or [None], kinds, strict=True)
    )


def _kind_of_head(head: Head | None) -> str | None:
    """What a linear output is under the head's own link or likelihood."""
    if head is None or head.activation != "linear":
        return None
    link = getattr(head.layer, "link", None)
    if link is not None:
        return f"{link}_logits"
    if not isinstance(head.layer, RandomFeatureGP):
        return None
    return KINDS_BY_LIKELIHOOD.get(head.layer.likelihood)


def _guess(head: Head | None, is_task: bool) -> str:
    if head is None or head.activation in ("softmax", "sigmoid"):
        return "probabilities"
    if head.activation != "linear":
        return "regression"
    several = head.layer.units > 1
    return "softmax_logits" if is_task or several else "regression"


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


def _kind_of_loss(loss, head: Head | None) -> str | None:
    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    if loss is None or (head is not None and head.activation != "linear"):
        return None
    if head is None and not getattr(loss, "from_logits", False):
        return None
    name = getattr(loss, "__name__", type(loss).__name__)
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return KINDS_BY_LOSS.get(snake)


def check_one_label(name: str, output_kind: str, head: Head | None) -> None:
    """Raises if the outputs are several labels of one example."""
    if head is None or head.layer.units == 1:
        return
    if output_kind == "sigmoid_logits" or head.activation == "sigmoid":
        raise ValueError(
            "Uncertainty is that of one label per example, but "
            f"{name!r} gives {head.layer.units} independent labels. Use "
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

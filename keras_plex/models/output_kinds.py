"""What the numbers that a model returns mean."""

import re

import keras

from keras_plex.conversion.families.family import has_ancestor
from keras_plex.conversion.heads import Head

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
    "log_cosh": "regression",
}


def kind_of_model(model: keras.Model, head: Head | None) -> str:
    """The kind of a stock model's output, as far as one can tell.

    Softmax and sigmoid outputs are probabilities. A linear output is what the
    loss of a compiled model says; else logits for a KerasHub task or for
    several units, and a regression for one unit.
    """
    if head is None or head.activation in ("softmax", "sigmoid"):
        return "probabilities"
    if head.activation != "linear":
        return "regression"
    from_loss = kind_of_loss(getattr(model, "loss", None))
    if from_loss is not None:
        return from_loss
    is_task = has_ancestor(model, "keras_hub", "Task")
    several = head.layer.units > 1
    return "softmax_logits" if is_task or several else "regression"


def kind_of_loss(loss) -> str | None:
    """What a linear output is under this loss, `None` if it does not say."""
    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    if loss is None or isinstance(loss, (dict, list, tuple)):
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

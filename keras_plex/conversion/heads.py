"""Where a model's output layer is, and what it can become."""

import dataclasses
import math
from collections.abc import Callable

import keras

from keras_plex.conversion.context import KERNEL_INPUTS_OPTION
from keras_plex.conversion.context import split_kernel_inputs
from keras_plex.conversion.methods import ensemble_template
from keras_plex.conversion.surgery import move_kernel
from keras_plex.conversion.surgery import producer
from keras_plex.conversion.surgery import upgrade_layer
from keras_plex.conversion.surgery import widen_inputs
from keras_plex.layers.gp_arguments import DEFAULT_NUM_FEATURES
from keras_plex.layers.heteroscedastic_dense import HeteroscedasticDense
from keras_plex.layers.heteroscedastic_gp import HeteroscedasticGP
from keras_plex.layers.laplace_dense import LaplaceDense
from keras_plex.layers.random_feature_gp import RandomFeatureGP
from keras_plex.tables import lookup
from keras_plex.types import Config

FEATURES_PER_INPUT = 8
FEWEST_FEATURES = 512
# Activations of which each unit is a label of its own.
SIGMOIDS = ("sigmoid", "log_sigmoid")


@dataclasses.dataclass(frozen=True)
class Head:
    """A model's output layer.

    Args:
        layer: a `Dense`.
        activation: `"linear"`, `"softmax"`, `"sigmoid"` or another name, of
            the layer or of what follows it.
    """

    layer: keras.layers.Dense
    activation: str


def keep_head(head: Head, ensemble_size: int, options: Config) -> None:
    """The stock output layer, shared by the members."""


def batch_ensemble_head(
    head: Head, ensemble_size: int, options: Config
) -> None:
    """Fast weights on the output layer, starting neutral."""
    template = ensemble_template(
        head.layer,
        "batch_ensemble",
        ensemble_size,
        {"fast_weight_initializer": "ones"},
    )
    upgrade_layer(head.layer, template)


def gp_head(head: Head, ensemble_size: int, options: Config) -> None:
    """A Gaussian process whose mean function is the stock output layer."""
    _to_gaussian_process(head, RandomFeatureGP, options)


def heteroscedastic_gp_head(
    head: Head, ensemble_size: int, options: Config
) -> None:
    """Such a Gaussian process with learned noise."""
    options = {"link": _link(head), **options}
    _to_gaussian_process(head, HeteroscedasticGP, options)


def _to_gaussian_process(
    head: Head, layer_class: type[RandomFeatureGP], options: Config
) -> None:
    layer = head.layer
    features_dim = layer.kernel.shape[0]
    input_dim = features_dim + options.get("context_dim", 0)
    is_linear = options.get("kernel") == "linear"
    defaults = {
        "mean_function": "linear",
        # A normalized input has the norm sqrt(d); chosen in docs/defaults.md.
        "length_scale": math.sqrt(input_dim if is_linear else input_dim / 2),
    }
    if not is_linear:
        defaults["num_features"] = default_num_features(features_dim)
    template = layer_class(
        layer.units,
        activation=layer.activation,
        use_bias=layer.use_bias,
        **{**defaults, **options},
    )
    is_linear = template.mean_function == "linear"
    move_kernel(layer, "mean_kernel" if is_linear else None)
    if not is_linear:
        layer.mean_kernel = None
    upgrade_layer(layer, template, input_dim=input_dim)
    widen_inputs(layer, input_dim)


def default_num_features(input_dim: int) -> int:
    """So many that the covariance does not outweigh a narrow network."""
    wanted = max(FEWEST_FEATURES, FEATURES_PER_INPUT * input_dim)
    return min(DEFAULT_NUM_FEATURES, wanted)


def heteroscedastic_head(
    head: Head, ensemble_size: int, options: Config
) -> None:
    """The stock output layer with learned noise on its outputs."""
    template = HeteroscedasticDense(
        head.layer.units,
        activation=head.layer.activation,
        use_bias=head.layer.use_bias,
        **{"link": _link(head), **options},
    )
    upgrade_layer(head.layer, template, input_dim=head.layer.kernel.shape[0])


def _link(head: Head) -> str:
    is_sigmoid = head.activation in SIGMOIDS or head.layer.units == 1
    return "sigmoid" if is_sigmoid else "softmax"


def laplace_head(head: Head, ensemble_size: int, options: Config) -> None:
    """The stock output layer with a posterior around its weights."""
    template = LaplaceDense(
        head.layer.units,
        activation=head.layer.activation,
        use_bias=head.layer.use_bias,
        rows_per_example=ensemble_size,
        **{"likelihood": _laplace_likelihood(head), **options},
    )
    upgrade_layer(head.layer, template, input_dim=head.layer.kernel.shape[0])


def _laplace_likelihood(head: Head) -> str | None:
    return "binary_logistic" if head.activation in SIGMOIDS else None


# Name -> what it does to the output layer, in place.
HEADS: dict[str, Callable[[Head, int, Config], None]] = {
    "gp": gp_head,
    "heteroscedastic": heteroscedastic_head,
    "heteroscedastic_gp": heteroscedastic_gp_head,
    "laplace": laplace_head,
    "batch_ensemble": batch_ensemble_head,
    "keep": keep_head,
}


# The heads that compare their inputs with those of the training data.
GAUSSIAN_PROCESSES = ("gp", "heteroscedastic_gp")


def _gp_options(layer_class: type[RandomFeatureGP]) -> tuple[str, ...]:
    # How wide the context is follows from the model.
    own = (x for x in layer_class.own_arguments if x != "context_dim")
    return (*own, KERNEL_INPUTS_OPTION)


# The options that `head_options` may name, and the layer that checks them.
HEAD_OPTIONS: dict[str, tuple[str, ...]] = {
    "gp": _gp_options(RandomFeatureGP),
    "heteroscedastic": HeteroscedasticDense.own_arguments,
    "heteroscedastic_gp": _gp_options(HeteroscedasticGP),
    "laplace": ("likelihood", "prior_precision", "mean_field_factor"),
    "batch_ensemble": (),
    "keep": (),
}

# The layers whose constructors check their options.
HEAD_LAYERS: dict[str, type[keras.layers.Layer]] = {
    "gp": RandomFeatureGP,
    "heteroscedastic": HeteroscedasticDense,
    "heteroscedastic_gp": HeteroscedasticGP,
    "laplace": LaplaceDense,
}


def check_head_options(head: str | None, options: Config | None) -> None:
    """Raises for options that the head does not have, or cannot take."""
    if options is None:
        return
    if not isinstance(options, dict):
        raise ValueError(
            "`head_options` must be a dict of arguments of the head layer. "
            f"Received: head_options={options!r}"
        )
    name = "gp" if head is None else head
    known = HEAD_OPTIONS[lookup_head(name)]
    unknown = [option for option in options if option not in known]
    if unknown:
        raise ValueError(
            f"The head {name!r} has no option {unknown[0]!r}. Its options: "
            f"{', '.join(known) or 'none'}. "
            f"Received: head_options={options!r}"
        )
    _, options = split_kernel_inputs(options)
    if name in HEAD_LAYERS:
        HEAD_LAYERS[name](_units_for(options), **options)


def _units_for(options: Config) -> int:
    # Enough for any option: the model's own number of units is checked when
    # its output layer is converted.
    if options.get("likelihood") in ("binary_logistic", "poisson"):
        return 1
    factors = options.get("num_factors", 0)
    return max(2, factors) if isinstance(factors, int) else 2


def lookup_head(name: str) -> str:
    """Returns `name`, or raises for an unknown head."""
    lookup(HEADS, name, "head")
    return name


def find_head(model: keras.Model) -> Head | None:
    """The `Dense` that makes the model's only output, or `None`.

    Activations and layers without weights may follow it.
    """
    heads = find_heads(model)
    return heads[0] if len(heads) == 1 else None


def find_heads(model: keras.Model) -> list[Head | None]:
    """The `Dense` that makes each flat output, `None` where there is none."""
    outputs = getattr(model, "outputs", None) or []
    return [_find_head_of(output) for output in outputs]


def _find_head_of(output: keras.KerasTensor) -> Head | None:
    operation, inputs = producer(output)
    activation = "linear"
    while operation is not None:
        if type(operation) is keras.layers.Dense:
            if activation == "linear":
                activation = activation_of(operation)
            return Head(operation, activation)
        if isinstance(operation, keras.Model):
            return _nested(operation, activation)
        if not isinstance(operation, PASSED_OVER):
            return None
        if activation == "linear":
            activation = activation_of(operation)
        operation, inputs = producer(inputs[0])
    return None


PASSED_OVER = (
    keras.layers.Activation,
    keras.layers.Softmax,
    keras.layers.Dropout,
    keras.layers.Identity,
)


def activation_name(activation: Callable | None) -> str:
    """The name of an activation; none is linear."""
    return getattr(activation, "__name__", "linear")


def activation_of(operation: keras.Operation) -> str:
    """The name of the activation that an operation applies."""
    if isinstance(operation, keras.layers.Softmax):
        return "softmax"
    return activation_name(getattr(operation, "activation", None))


def _nested(model: keras.Model, activation: str) -> Head | None:
    head = find_head(model)
    if head is None or activation == "linear":
        return head
    return Head(head.layer, activation)

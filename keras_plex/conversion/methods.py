"""Which stock layer becomes which ensemble layer, and how it starts."""

import dataclasses
from collections.abc import Callable

import keras
from keras import initializers

from keras_plex.initializers import get_initializer
from keras_plex.layers.batch_ensemble_conv2d import BatchEnsembleConv2D
from keras_plex.layers.batch_ensemble_dense import BatchEnsembleDense
from keras_plex.layers.batch_ensemble_einsum_dense import (
    BatchEnsembleEinsumDense,
)
from keras_plex.layers.batch_ensemble_embedding import BatchEnsembleEmbedding
from keras_plex.layers.lora_ensemble_dense import LoRAEnsembleDense
from keras_plex.layers.lora_ensemble_einsum_dense import LoRAEnsembleEinsumDense
from keras_plex.tables import lookup
from keras_plex.types import Config


@dataclasses.dataclass(frozen=True)
class Method:
    """How stock layers get members.

    Args:
        layers: stock class -> the layer that takes over from it.
        named_layers: likewise, only where a pattern of `layers` names them.
        options: what `method_options` may name: arguments of the layers.
        initializer: the option that says where members start.
        default_initializer: the spread of the members -> where they start.
        starts_neutral: whether each member starts as the stock model, so that
            there is no such spread.
    """

    layers: dict[type, type]
    named_layers: dict[type, type]
    options: tuple[str, ...]
    initializer: str
    default_initializer: Callable[[float], initializers.Initializer]
    starts_neutral: bool

    @property
    def all_layers(self) -> dict[type, type]:
        return {**self.layers, **self.named_layers}


def around_one(stddev: float) -> initializers.Initializer:
    """Fast weights from `N(1, stddev)`."""
    if stddev == 0:
        return initializers.Ones()
    return initializers.RandomNormal(mean=1.0, stddev=stddev)


METHODS: dict[str, Method] = {
    "batch_ensemble": Method(
        layers={
            keras.layers.Dense: BatchEnsembleDense,
            keras.layers.EinsumDense: BatchEnsembleEinsumDense,
        },
        named_layers={
            keras.layers.Conv2D: BatchEnsembleConv2D,
            keras.layers.Embedding: BatchEnsembleEmbedding,
        },
        options=("fast_weight_initializer",),
        initializer="fast_weight_initializer",
        default_initializer=around_one,
        starts_neutral=False,
    ),
    "lora_ensemble": Method(
        layers={
            keras.layers.Dense: LoRAEnsembleDense,
            keras.layers.EinsumDense: LoRAEnsembleEinsumDense,
        },
        named_layers={},
        options=("rank", "alpha", "a_initializer"),
        initializer="a_initializer",
        default_initializer=lambda stddev: initializers.HeUniform(),
        starts_neutral=True,
    ),
}


def ensemble_template(
    layer: keras.layers.Layer,
    method: str,
    ensemble_size: int,
    arguments: Config,
) -> keras.layers.Layer:
    """An unbuilt ensemble layer that describes what `layer` is to become."""
    return (
        METHODS[method]
        .all_layers[type(layer)]
        .from_config(
            {
                **layer.get_config(),
                "lora_rank": None,
                "lora_alpha": None,
                "ensemble_size": ensemble_size,
                **arguments,
            }
        )
    )


def site_arguments(
    method: str,
    options: Config | None,
    stddev: float | None,
    seed: int | None,
    site: int,
) -> Config:
    """The options of the site's layer; each site draws its own numbers.

    Args:
        method: a name in `METHODS`.
        options: those that were given.
        stddev: the spread of the members; `None` where an option says it.
        seed: of all sites.
        site: the number of this one.
    """
    row = METHODS[method]
    given = dict(options or {})
    if row.initializer in given:
        initializer = get_initializer(given[row.initializer])
    else:
        initializer = row.default_initializer(stddev or 0.0)
    return {**given, row.initializer: of_site(initializer, seed, site)}


def of_site(
    initializer: initializers.Initializer, seed: int | None, site: int
) -> initializers.Initializer:
    """The same distribution from a seed of the site's own.

    An initializer that has a seed keeps to it instead of `seed`.
    """
    config = initializer.get_config()
    if "seed" not in config:
        return initializer
    base = seed if config["seed"] is None else config["seed"]
    if base is None:
        return initializer.from_config(config)
    # A layer may draw twice: from this seed, and from the next.
    own_seed = 1000 * base + 2 * site
    return initializer.from_config({**config, "seed": own_seed})


def checked_method_options(
    method: str, options: Config | None
) -> Config | None:
    """The options as JSON has them, or an error for one that cannot be."""
    if options is None:
        return None
    row = lookup(METHODS, method, "method")
    if not isinstance(options, dict):
        raise ValueError(
            "`method_options` must be a dict of arguments of the method's "
            f"layers. Received: method_options={options!r}"
        )
    unknown = [option for option in options if option not in row.options]
    if unknown:
        raise ValueError(
            f"The method {method!r} has no option {unknown[0]!r}. Its options: "
            f"{', '.join(row.options)}. "
            f"Received: method_options={options!r}"
        )
    row.layers[keras.layers.Dense](1, **options)
    checked = dict(options)
    if row.initializer in options:
        checked[row.initializer] = _as_config(
            row.initializer, options[row.initializer]
        )
    return checked


def _as_config(name: str, value) -> str | Config:
    initializer = None if value is None else get_initializer(value)
    is_initializer = isinstance(initializer, initializers.Initializer)
    seed = initializer.get_config().get("seed") if is_initializer else None
    if not is_initializer or not (seed is None or isinstance(seed, int)):
        raise ValueError(
            f"`{name}` must be the name of a Keras initializer, its "
            "configuration or the initializer itself, and its seed, if it has "
            f"one, an integer. Received: {name}={value!r}"
        )
    return (
        value if isinstance(value, str) else initializers.serialize(initializer)
    )

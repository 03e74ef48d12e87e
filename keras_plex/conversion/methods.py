"""Which stock layer becomes which ensemble layer."""

import keras
from keras import initializers

from keras_plex.layers.batch_ensemble_dense import BatchEnsembleDense
from keras_plex.layers.batch_ensemble_einsum_dense import (
    BatchEnsembleEinsumDense,
)

# Stock class -> the layer that takes over from it, for each method.
METHODS: dict[str, dict[type, type]] = {
    "batch_ensemble": {
        keras.layers.Dense: BatchEnsembleDense,
        keras.layers.EinsumDense: BatchEnsembleEinsumDense,
    },
}


def ensemble_template(
    layer: keras.layers.Layer,
    classes: dict[type, type],
    ensemble_size: int,
    initializer: initializers.Initializer,
) -> keras.layers.Layer:
    """An unbuilt ensemble layer that describes what `layer` is to become."""
    return classes[type(layer)].from_config(
        {
            **layer.get_config(),
            "lora_rank": None,
            "ensemble_size": ensemble_size,
            "fast_weight_initializer": initializer,
        }
    )


def fast_weight_initializer(
    stddev: float, seed: int | None, site: int
) -> initializers.Initializer:
    """Members start at `N(1, stddev)`; each site draws its own numbers."""
    if stddev == 0:
        return initializers.Ones()
    # A layer draws twice: `alpha` from this seed, `gamma` from the next.
    seed = None if seed is None else 1000 * seed + 2 * site
    return initializers.RandomNormal(mean=1.0, stddev=stddev, seed=seed)

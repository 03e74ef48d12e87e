"""One batch on all devices that a model is distributed over."""

from typing import Any

import keras
import numpy as np
from keras import ops
from keras import tree

from keras_plex.batches import count_examples
from keras_plex.batches import is_texts


def predict_one_batch(model: keras.Model, x: Any) -> Any:
    """What `predict_on_batch` returns, also for a model on several devices.

    Under `tf.distribute`, Keras gives each replica the whole batch and returns
    the answers of all; under `keras.distribution`, each device computes the
    whole batch. Here each device gets its share. A batch that cannot be shared
    evenly is filled up with its last example, whose answers are dropped.

    Args:
        model: any Keras model.
        x: one batch, with the batch axis first.
    """
    replicas = num_replicas(model)
    if replicas == 1:
        return model.predict_on_batch(x)
    count = count_examples(x)
    filled = count + -count % replicas
    x = _take(x, [*range(count), *[count - 1] * (filled - count)])
    is_sharded = keras.distribution.distribution() is not None
    predict = _predict_sharded if is_sharded else _predict_replicated
    found = predict(model, x, filled // replicas)
    return tree.map_structure(lambda leaf: leaf[:count], found)


def num_replicas(model: keras.Model) -> int:
    """The number of devices that share each batch of the model."""
    distribution = keras.distribution.distribution()
    if distribution is not None:
        mesh = distribution.device_mesh
        if distribution.batch_dim_name not in mesh.axis_names:
            return 1
        return mesh.shape[mesh.axis_names.index(distribution.batch_dim_name)]
    strategy = getattr(model, "distribute_strategy", None)
    return getattr(strategy, "num_replicas_in_sync", 1)


def _predict_sharded(model: keras.Model, x: Any, share: int) -> Any:
    """Under `keras.distribution`."""
    if getattr(model, "preprocess_samples", None) is not None:
        # It takes raw data, which do not live on devices.
        return model.predict_on_batch(x)
    distribution = keras.distribution.distribution()
    return model.predict_on_batch(
        tree.map_structure(
            lambda leaf: keras.distribution.distribute_tensor(
                leaf, distribution.get_data_layout(leaf.shape)
            ),
            x,
        )
    )


def _predict_replicated(model: keras.Model, x: Any, share: int) -> Any:
    """Under `tf.distribute`."""
    preprocess = getattr(model, "preprocess_samples", None)
    if preprocess is not None:
        x, _, _ = keras.utils.unpack_x_y_sample_weight(preprocess(x))
    distribute = (
        model.distribute_strategy.experimental_distribute_values_from_function
    )

    def split(leaf: Any) -> Any:
        def take(context: Any) -> Any:
            start = context.replica_id_in_sync_group * share
            return ops.convert_to_tensor(leaf[start : start + share])

        return distribute(take)

    model.make_predict_function()
    found = model.predict_function([(tree.map_structure(split, x),)])
    return tree.map_structure(np.asarray, found)


def _take(x: Any, rows: list[int]) -> Any:
    """These examples of a batch, in its structure."""
    if isinstance(x, dict):
        return {name: _take(part, rows) for name, part in x.items()}
    if is_texts(x):
        return [x[row] for row in rows]
    if isinstance(x, (list, tuple)):
        return type(x)(_take(part, rows) for part in x)
    return ops.take(x, rows, axis=0) if ops.is_tensor(x) else x[rows]

"""A model's forecast as a TensorFlow Probability distribution."""

from typing import Any

import numpy as np
from keras import ops

from keras_plex.layers.heteroscedastic_gp import HeteroscedasticGP
from keras_plex.types import Data

Distribution = Any  # tfp.distributions.Distribution


def predictive_distribution(model: Any, x: Data, **kwargs) -> Distribution:
    """The mixture of the members' distributions, `(batch,)` of them.

    Its categorical members are calibrated as those of `predict_uncertainty`
    are. Gaussian logits are those of the model: a temperature, a scale or a
    rising function of `calibrate` has no part in them.

    Args:
        model: a `PlexModel` that classifies.
        x: what `predict` takes.
        **kwargs: of `predict`.
    """
    distributions = _import_distributions()
    head = model.covariance_head
    if head is not None and not isinstance(head, HeteroscedasticGP):
        components = _gaussian_logits(distributions, model, x, **kwargs)
    else:
        found = model.predict_uncertainty(x, **kwargs)
        components = distributions.Categorical(
            probs=found.member_probabilities  # (batch, ensemble, classes)
        )
    weights = distributions.Categorical(
        logits=np.zeros(components.batch_shape, "float32")
    )
    return distributions.MixtureSameFamily(weights, components)


def _gaussian_logits(
    distributions: Any, model: Any, x: Data, **kwargs
) -> Distribution:
    found = model.predict_details(x, features=True, **kwargs)
    mean = ops.convert_to_numpy(
        model.covariance_head.mean_logits(found["features"])
    )
    variance = found["variance"]
    if variance.ndim < mean.ndim:
        variance = variance[..., None]  # one for all classes
    scale = np.sqrt(variance) * np.ones_like(mean)
    normal = distributions.Normal(mean, scale)
    return distributions.Independent(normal, reinterpreted_batch_ndims=1)


def _import_distributions() -> Any:
    try:
        import tensorflow_probability
    except ImportError as error:
        raise ImportError(
            "`predictive_distribution` needs TensorFlow Probability: "
            'pip install "keras_plex[probability]"'
        ) from error
    return tensorflow_probability.distributions

"""The mean forecast of noisy logits, without holding the samples."""

import math
from collections.abc import Callable
from collections.abc import Sequence

import keras
from keras import ops

from keras_plex.checks import is_positive_integer
from keras_plex.ops.counted_loops import run_loop
from keras_plex.ops.links import LINKS
from keras_plex.ops.links import Link
from keras_plex.ops.noise import IndependentNoise
from keras_plex.ops.noise import Noise
from keras_plex.ops.normal_draws import draw_key
from keras_plex.ops.normal_draws import normal_draws
from keras_plex.tables import lookup
from keras_plex.types import Tensor

# Samples times classes of an example that are held at a time.
CHUNK_ELEMENTS = 2**14


def gaussian_mixture_logits(
    logits: Tensor,
    stddev: Tensor,
    num_samples: int,
    link: str,
    seed: int | keras.random.SeedGenerator,
) -> Tensor:
    """Logits whose link is the mean link of logits with Gaussian noise.

    `link(output) = mean over s of link(logits + stddev * e_s)`, with `e_s`
    standard normal and independent for each class: `monte_carlo_logits` with
    this noise alone.

    Args:
        logits: `(batch, ..., classes)`.
        stddev: broadcasts to the shape of `logits`, such as `(batch, ..., 1)`.
        num_samples: positive int.
        link: `"softmax"`, `"sigmoid"` or `"exp"`.
        seed: an int, or a `SeedGenerator` for other noise at each call.
    """
    stddev = ops.broadcast_to(stddev, ops.shape(logits))
    noise = IndependentNoise(logits.shape[-1])
    return monte_carlo_logits(
        logits, [(noise, (stddev,))], num_samples, link, seed
    )


def monte_carlo_logits(
    mean: Tensor,
    noises: Sequence[tuple[Noise, Sequence[Tensor]]],
    num_samples: int,
    link: str,
    seed: int | keras.random.SeedGenerator,
) -> Tensor:
    """Logits whose link is the mean link of `mean` plus noise.

    Samples come in antithetic pairs, and all examples get the same draws: the
    output of an example does not depend on its batch, nor on the backend or
    its compiler. It is a log-sum-exp of log probabilities, finite where a mean
    of probabilities would round to 0.

    Of an example no more than `CHUNK_ELEMENTS` numbers, or one sample, are held
    at a time, also in training: the way back draws the noise again and sums
    the gradients in closed form. There is no second derivative.

    Args:
        mean: `(..., classes)`.
        noises: the parts of the noise, which are added, with their tensors.
        num_samples: positive int. With many divisors the chunks are full.
        link: `"softmax"`: log of the mean softmax; `"sigmoid"`: logit of the
            mean sigmoid; `"exp"`: log of the mean exponential.
        seed: an int, or a `SeedGenerator` for other noise at each call.

    Returns:
        `(..., classes)`, float32, or float64 where `mean` is.
    """
    if not is_positive_integer(num_samples):
        raise ValueError(
            "`num_samples` must be a positive integer. "
            f"Received: num_samples={num_samples!r}"
        )
    chosen = lookup(LINKS, link, "link")
    samples = _Samples(noises, num_samples, mean.shape[-1], draw_key(seed))
    dtype = keras.backend.standardize_dtype(mean.dtype)
    dtype = dtype if dtype == "float64" else "float32"
    tensors = [mean, *(tensor for _, own in noises for tensor in own)]

    def forecast(*tensors):
        # TensorFlow's tape would keep each chunk, did it see one.
        tensors = [ops.stop_gradient(tensor) for tensor in tensors]
        log_sums = _log_sums(tensors, samples, chosen)

        def gradients(*arguments, upstream=None, variables=None):
            # TensorFlow and JAX pass the gradient by position.
            if upstream is None:
                (upstream,) = arguments
            found = _gradients(tensors, samples, chosen, log_sums, upstream)
            return found if variables is None else (found, [])

        log_means = [log_sum - math.log(num_samples) for log_sum in log_sums]
        return chosen.combine(*log_means), gradients

    return ops.custom_gradient(forecast)(
        *(ops.cast(tensor, dtype) for tensor in tensors)
    )


def _log_sums(
    tensors: Sequence[Tensor], samples: "_Samples", link: Link
) -> tuple[Tensor, ...]:
    def add_chunk(chunk, log_sums):
        utilities, _ = samples.draw(chunk, tensors)
        return tuple(
            # Keras's logaddexp is float32 on PyTorch.
            ops.logsumexp(
                ops.stack([log_sum, ops.logsumexp(terms, axis=-2)]), axis=0
            )
            for log_sum, terms in zip(
                log_sums, link.log_terms(utilities), strict=True
            )
        )

    nothing = ops.full_like(tensors[0], -math.inf)
    start = tuple(nothing for _ in link.log_terms(tensors[0]))
    return samples.loop(add_chunk, start)


def _gradients(
    tensors: Sequence[Tensor],
    samples: "_Samples",
    link: Link,
    log_sums: Sequence[Tensor],
    upstream: Tensor,
) -> tuple[Tensor, ...]:
    upstream = ops.expand_dims(upstream, axis=-2)
    log_sums = [ops.expand_dims(log_sum, axis=-2) for log_sum in log_sums]

    def add_chunk(chunk, sums):
        utilities, parts = samples.draw(chunk, tensors)
        log_terms = link.log_terms(utilities)
        shares = [
            ops.exp(terms - log_sum)
            for terms, log_sum in zip(log_terms, log_sums, strict=True)
        ]
        of_utilities = link.pull_back(upstream, log_terms, shares)
        found = [ops.sum(of_utilities, axis=-2)]
        for noise, draws, own in parts:
            found += noise.gradients(draws, of_utilities, *own)
        return tuple(ops.add(*pair) for pair in zip(sums, found, strict=True))

    start = tuple(ops.zeros_like(tensor) for tensor in tensors)
    return samples.loop(add_chunk, start)


class _Samples:
    """The samples of the utilities, in chunks of equal size."""

    def __init__(self, noises, num_samples: int, classes: int, key: Tensor):
        self.noises = [(noise, len(own)) for noise, own in noises]
        self.key = key
        most = max(1, min(CHUNK_ELEMENTS // classes, num_samples))
        self.size = next(n for n in range(most, 0, -1) if num_samples % n == 0)
        self.chunks = num_samples // self.size

    def loop(self, add_chunk: Callable, start: tuple) -> tuple[Tensor, ...]:
        """What is left after `add_chunk(chunk, sums)` for each chunk."""
        return run_loop(self.chunks, add_chunk, start)

    def draw(
        self, chunk: Tensor, tensors: Sequence[Tensor]
    ) -> tuple[Tensor, list]:
        """Utilities `(..., size, classes)`; each noise, its draws, tensors."""
        first = ops.cast(chunk, "int32") * self.size
        numbers = first + ops.arange(self.size, dtype="int32")
        width = sum(noise.width for noise, _ in self.noises)
        draws = normal_draws(self.key, numbers, width)
        draws = ops.cast(draws, tensors[0].dtype)
        utilities = ops.expand_dims(tensors[0], axis=-2)
        tensors, parts = list(tensors[1:]), []
        for noise, count in self.noises:
            own, tensors = tensors[:count], tensors[count:]
            taken, draws = draws[:, : noise.width], draws[:, noise.width :]
            utilities = utilities + noise.values(taken, *own)
            parts.append((noise, taken, own))
        return utilities, parts

"""One number for errors under many corruptions, as ImageNet-C has it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from keras_plex.tables import lookup

CLEAN = "clean"

# Of AlexNet on ImageNet-C, means over the five severities.
ALEXNET_ERRORS = {
    "clean": 0.4348,
    "gaussian_noise": 0.886,
    "shot_noise": 0.894,
    "impulse_noise": 0.923,
    "defocus_blur": 0.820,
    "glass_blur": 0.826,
    "motion_blur": 0.786,
    "zoom_blur": 0.798,
    "snow": 0.867,
    "frost": 0.827,
    "fog": 0.819,
    "brightness": 0.565,
    "contrast": 0.853,
    "elastic_transform": 0.646,
    "pixelate": 0.718,
    "jpeg_compression": 0.607,
}


def mean_corruption_error(
    errors: Mapping[str, ArrayLike],
    baseline_errors: Mapping[str, ArrayLike] | None = None,
    *,
    relative: bool = False,
) -> float:
    """Errors under corruption, as multiples of those of a baseline.

    Corruptions are not equally hard: dividing by what another model makes of
    each lets them count alike. 1 is as good as the baseline, less is better;
    the literature writes 100 times that.

    `mCE = mean over corruptions of (mean error / mean error of the baseline)`;
    the relative one takes the clean error off all four means, and asks how much
    is lost by the corruption alone.

    Args:
        errors: corruption -> its error rates, one for each severity, or their
            mean. The corruptions that are here are averaged over.
        baseline_errors: likewise of the baseline, such as the stock model.
            Defaults to `ALEXNET_ERRORS`, which fit ImageNet-C and no other
            data.
        relative: whether to take off the clean errors, which are then the
            entry `"clean"` of both. Defaults to `False`.

    Example:

    >>> stock = {"clean": 0.1, "fog": [0.2, 0.4], "frost": [0.4, 0.6]}
    >>> plex = {"clean": 0.1, "fog": [0.2, 0.3], "frost": [0.2, 0.4]}
    >>> round(mean_corruption_error(plex, stock), 4)  # (.25/.3 + .3/.5) / 2
    0.7167
    >>> round(mean_corruption_error(plex, stock, relative=True), 4)
    0.625

    Reference:
        Hendrycks and Dietterich, 2019, [Benchmarking neural network robustness
        to common corruptions and perturbations](
        https://arxiv.org/abs/1903.12261).
    """
    if baseline_errors is None:
        baseline_errors = ALEXNET_ERRORS
    ratios = []
    for name in errors:
        if name == CLEAN:
            continue
        ours = _mean(errors, name, "corruption in `errors`")
        base = _mean(baseline_errors, name, "corruption in `baseline_errors`")
        sizes = {np.size(errors[name]), np.size(baseline_errors[name])}
        if len(sizes - {1}) > 1:
            raise ValueError(
                "Both models need the errors of the same severities. "
                f"Received: {sizes} errors for {name!r}"
            )
        if relative:
            ours -= _mean(errors, CLEAN, "error in `errors`")
            base -= _mean(baseline_errors, CLEAN, "error in `baseline_errors`")
        if base <= 0:
            raise ValueError(
                "The baseline must make more errors under a corruption than "
                f"{'without it' if relative else 'none'}, or nothing can be "
                f"measured by it. Leave {name!r} out, or choose a stronger "
                f"severity. Received: {base:g} for {name!r}"
            )
        ratios.append(ours / base)
    if not ratios:
        raise ValueError(
            "`errors` must hold a corruption. "
            f"Received: errors={dict(errors)!r}"
        )
    return float(np.mean(ratios))


def _mean(errors: Mapping[str, ArrayLike], name: str, kind: str) -> float:
    rates = np.asarray(lookup(errors, name, kind), float)
    # NaN is not within any range.
    if not rates.size or not (rates.min() >= 0 and rates.max() <= 1):
        raise ValueError(
            "Errors must be shares from 0 to 1, at least one for each "
            f"corruption; divide percents by 100. Received: {name!r}: {rates}"
        )
    return float(rates.mean())

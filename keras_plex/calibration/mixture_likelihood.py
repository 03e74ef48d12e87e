"""How likely the members' mixture makes labels, and the slope of that."""

from collections.abc import Callable

import numpy as np
from scipy import optimize
from scipy import special

Loss = Callable[[np.ndarray], tuple[float, np.ndarray]]


def mixture_loss(
    logits: np.ndarray, targets: np.ndarray, weights: np.ndarray
) -> tuple[float, np.ndarray]:
    """The negative log likelihood in nats, and its gradient by the logits.

    `-sum_n weight_n sum_k target_nk log(mean_m softmax(logits_nm)_k)`.

    Args:
        logits: `(examples, ensemble, units)`; one unit is a sigmoid's.
        targets: `(examples, classes)`.
        weights: `(examples,)`.
    """
    units = logits.shape[-1]
    if units == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
    log_members = special.log_softmax(logits, axis=-1)
    # (examples, ensemble, classes) -> (examples, classes)
    log_sum = np.asarray(special.logsumexp(log_members, axis=1))
    log_mixture = log_sum - np.log(logits.shape[1])
    loss = -np.sum(weights * np.sum(targets * log_mixture, axis=-1))
    # Which share of a class's probability is a member's.
    shares = np.exp(log_members - log_sum[:, None]) * targets[:, None]
    total = shares.sum(axis=-1, keepdims=True)
    gradient = np.exp(log_members) * total - shares
    gradient *= weights[:, None, None]
    return float(loss), gradient[..., -units:]


def minimize_loss(
    loss: Loss,
    start: np.ndarray,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[np.ndarray, float]:
    """The point that L-BFGS reaches from `start`, and the loss there.

    It is never worse than `start`.
    """
    start = np.asarray(start, "float64")
    found = optimize.minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[bounds] * start.size,
        options={"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-10},
    )
    before = loss(start)[0]
    if not found.fun <= before:
        return start, before
    return found.x, float(found.fun)


def check_has_optimum(logits: np.ndarray, targets: np.ndarray) -> None:
    """Raises if larger logits make the labels ever more likely.

    That is so if every member gives every label the largest logit.
    """
    if logits.shape[-1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
    is_label = np.broadcast_to((targets == 1.0)[:, None], logits.shape)
    of_label = np.max(logits, axis=-1, where=is_label, initial=-np.inf)
    of_others = np.max(logits, axis=-1, where=~is_label, initial=-np.inf)
    if np.all(of_label > of_others):
        raise ValueError(
            "Every label is right, so that the surer the forecast the more "
            "likely the labels: there is no best temperature or scale. Use "
            f"more data. Received: {len(logits)} examples"
        )

"""A metric that breaks a contract fails `check_metric`, which says which."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.metrics.base import ForecastMetric
from keras_plex.metrics.forecasts import example_weights
from keras_plex.testing import METRIC_CONTRACTS
from keras_plex.testing import check_metric

register = keras.saving.register_keras_serializable("keras_plex_tests_metrics")


def make_batch(generator, size):
    probabilities = generator.dirichlet([1.0, 1.0, 1.0], size)
    return generator.integers(3, size=size), probabilities.astype("float32")


@register
class Keeps(ForecastMetric):
    """The mean probability of the label, to a power: keeps every contract."""

    def __init__(self, from_logits=False, *, power=2.0, name=None, dtype=None):
        super().__init__(from_logits, name=name or "keeps", dtype=dtype)
        self.power = power

    def values(self, labels, forecast):
        return ops.sum(labels * forecast, axis=-1) ** self.power

    def get_config(self):
        return {**super().get_config(), "power": self.power}


@register
class LacksAnArgument(Keeps):
    def get_config(self):
        config = super().get_config()
        del config["power"]
        return config


class IsNotRegistered(Keeps):
    pass


@register
class DependsOnTheOrder(Keeps):
    def accumulate(self, batch_sums):
        super().accumulate(batch_sums + 0.1 * ops.abs(self.totals()))


@register
class MergesTwice(Keeps):
    def merge_state(self, metrics):
        super().merge_state([*metrics, *metrics[:1]])


@register
class MergesAnything(Keeps):
    def merge_state(self, metrics):
        if all(isinstance(metric, Keeps) for metric in metrics):
            super().merge_state(metrics)


@register
class SquaresWeights(Keeps):
    def batch_sums(self, labels, forecast, weights):
        return super().batch_sums(labels, forecast, weights**2)


@register
class MultipliesNaNByZero(Keeps):
    def batch_sums(self, labels, forecast, weights):
        values = self.values(labels, forecast) * weights
        return ops.stack([ops.sum(values), ops.sum(weights)])


@register
class IsZeroBeforeData(Keeps):
    def result(self):
        total, weight = ops.unstack(self.totals())
        return total / ops.maximum(weight, 1e-7)


@register
class ForgetsToReset(Keeps):
    def reset_state(self):
        self.compensation.assign(ops.zeros((2,)))


@register
class HidesNaN(Keeps):
    def values(self, labels, forecast):
        return ops.nan_to_num(super().values(labels, forecast))


@register
class SquaresUnitAxes(Keeps):
    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = ops.convert_to_tensor(y_true)
        scale = 2.0 if len(y_true.shape) == 2 else 1.0
        super().update_state(y_true, y_pred, sample_weight)
        self.sums.assign(self.sums * ops.array([scale, 1.0]))


@register
class SumsInHalfPrecision(Keeps):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.add_variable((), "zeros", dtype=self.dtype)


@register
class IgnoresShapes(Keeps):
    def update_state(self, y_true, y_pred, sample_weight=None):
        rows = len(y_true)
        if sample_weight is not None:
            weights = ops.convert_to_tensor(sample_weight)
            weights = ops.reshape(weights, (-1,))[:rows]
            sample_weight = example_weights(weights, y_pred[: len(weights)])
            rows = len(weights)
        super().update_state(y_true[:rows], y_pred[:rows], sample_weight)


@register
class CannotBeCompiled(Keeps):
    def values(self, labels, forecast):
        if not isinstance(forecast, np.ndarray):
            labels = ops.convert_to_tensor(ops.convert_to_numpy(labels))
        return super().values(labels, forecast)


BROKEN = [
    (LacksAnArgument, "config and file", "get_config lacks {'power'}"),
    (IsNotRegistered, "config and file", "IsNotRegistered"),
    (DependsOnTheOrder, "streaming equals one shot", "is right"),
    (MergesTwice, "parts merge to the whole", "is right"),
    (MergesAnything, "parts merge to the whole", "no ValueError"),
    (SquaresWeights, "an integer weight repeats an example", "is right"),
    (MultipliesNaNByZero, "an example of weight 0 is absent", "nan where"),
    (IsZeroBeforeData, "NaN before data and after a reset", "before data"),
    (ForgetsToReset, "NaN before data and after a reset", "after `reset"),
    (HidesNaN, "NaN where there is no number", "after a NaN prediction"),
    (SquaresUnitAxes, "labels and weights may have a unit axis", "unit axes"),
    (SumsInHalfPrecision, "sums are never in half precision", "float16"),
    (IgnoresShapes, "rows that do not fit together raise", "no ValueError"),
]
if keras.config.backend() != "torch":  # which runs eagerly
    BROKEN.append((CannotBeCompiled, "works in fit and evaluate", ""))


def test_a_metric_that_keeps_every_contract_passes():
    assert check_metric(Keeps, {"power": 1.5}, make_batch) is None


@pytest.mark.parametrize(
    "metric_class, contract, reason",
    BROKEN,
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_a_broken_contract_is_named_with_the_reason(
    metric_class, contract, reason
):
    with pytest.raises(AssertionError) as error:
        check_metric(metric_class, {}, make_batch)
    message = str(error.value)
    start = f"{metric_class.__name__} breaks the contract {contract!r}: "
    assert message.startswith(start), message
    assert reason in message


def test_every_contract_is_broken_by_some_metric_here():
    contracts = {contract for _, contract, _ in BROKEN}
    if keras.config.backend() == "torch":
        contracts.add("works in fit and evaluate")
    assert contracts == set(METRIC_CONTRACTS)


def test_labels_that_are_not_read_need_not_be_right():
    with pytest.raises(AssertionError, match="after a label -1"):
        check_metric(IgnoresLabels, {}, make_batch)
    check_metric(IgnoresLabels, {}, make_batch, reads_labels=False)


@register
class IgnoresLabels(Keeps):
    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = ops.zeros_like(ops.convert_to_tensor(y_pred)[:, 0])
        super().update_state(y_true, y_pred, sample_weight)

    def values(self, labels, forecast):
        return forecast[:, 0]


def test_a_result_that_is_no_number_fails():
    def make_wrong(generator, size):
        labels, probabilities = make_batch(generator, size)
        return labels, 2 * probabilities

    with pytest.raises(AssertionError, match="the result is nan"):
        check_metric(Keeps, {}, make_wrong)

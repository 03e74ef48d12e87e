"""A task that breaks a contract fails `check_task`, which says which."""

import numpy as np
import pytest

from keras_plex.tasks import InDistribution
from keras_plex.testing import TASK_CONTRACTS
from keras_plex.testing import check_task
from tests.task_cases import TEST
from tests.task_cases import logits_model
from tests.task_cases import poor_model


class Keeps(InDistribution):
    """Keeps every contract."""


class HasNoDirection(Keeps):
    def measure(self, evidence):
        return {**super().measure(evidence), "speed": 1.0}


class LacksItsHeadline(Keeps):
    headline = "ece_of_my_own"


class HasNoCategory(Keeps):
    category = "misc"


class IgnoresTheExamples(Keeps):
    def measure(self, evidence):
        return {**super().measure(evidence), "accuracy": 0.5}


class FollowsItsOwnDice(Keeps):
    generator = np.random.default_rng(0)

    def measure(self, evidence):
        measured = super().measure(evidence)
        measured["accuracy"] *= self.generator.uniform(0.9, 1.0)
        return measured


class DependsOnBatchSize(Keeps):
    def predict(self, model, *, batch_size=32, **kwargs):
        kwargs["max_examples"] = 10 * batch_size
        return super().predict(model, **kwargs)


class PraisesThePoor(Keeps):
    def measure(self, evidence):
        measured = super().measure(evidence)
        return {**measured, "accuracy": 1.0 - measured["accuracy"]}


class TrainsTheModel(Keeps):
    def predict(self, model, **kwargs):
        model.weights[0].assign(0.5 * model.weights[0])
        return super().predict(model, **kwargs)


class DrawsArrays(Keeps):
    def curves(self, evidence):
        return {"mine": np.ones(3)}


BREAKS = {
    HasNoDirection: "measures have a name and a direction",
    LacksItsHeadline: "measures have a name and a direction",
    HasNoCategory: "measures have a name and a direction",
    IgnoresTheExamples: "evidence can be resampled",
    FollowsItsOwnDice: "one seed gives one result",
    DependsOnBatchSize: "the batch size changes nothing",
    PraisesThePoor: "a good model beats a poor one",
    TrainsTheModel: "the model's weights stay as they are",
    DrawsArrays: "curves are plain data",
}


def check(task_class):
    check_task(lambda: task_class(TEST), logits_model(), poor_model())


def test_a_task_that_keeps_all_passes():
    check(Keeps)


@pytest.mark.parametrize("task_class", BREAKS, ids=lambda c: c.__name__)
def test_a_break_is_named(task_class):
    contract = BREAKS[task_class]
    with pytest.raises(AssertionError) as failure:
        check(task_class)
    assert f"breaks the contract {contract!r}" in str(failure.value)


def test_every_contract_is_broken_by_one():
    assert set(BREAKS.values()) == set(TASK_CONTRACTS)

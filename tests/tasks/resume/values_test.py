"""Values that differ are described differently, and equal ones alike."""

import dataclasses
import functools
import json
import operator
import pathlib

import keras
import numpy as np
import pytest

from keras_plex.scores.forecast_scores import margin
from keras_plex.tasks.resume.values import describe_value

EPOCHS = 5


def describe(value):
    return describe_value(value, "it")


def helper(x):
    return x


def make(scale=1.0, default=0):
    def rule(x, shift=default):
        return scale * x + shift

    return rule


def uses_epochs(x):
    return helper(x) * EPOCHS


@dataclasses.dataclass
class Point:
    x: float


class Rule:
    def __init__(self, scale):
        self.scale = scale

    def __call__(self, x):
        return self.scale * x

    def method(self, x):
        return x


def twin(scale):
    class Rule:
        def __call__(self, x):
            return scale + x

    return Rule


PAIRS = [
    (lambda: 1, lambda: 2),
    (lambda: [1, (2, "a")], lambda: [1, (2, "b")]),
    (lambda: {"a": 1}, lambda: {"a": 2}),
    (lambda: {1: 1}, lambda: {2: 1}),
    (lambda: {"b", "a"}, lambda: {"b", "c"}),
    (lambda: b"a", lambda: b"b"),
    (lambda: pathlib.Path("a"), lambda: pathlib.Path("b")),
    (lambda: np.arange(3), lambda: np.arange(3.0)),
    (lambda: np.array(["a", None]), lambda: np.array(["b", None])),
    (lambda: np.float32(1), lambda: np.float32(2)),
    (lambda: keras.ops.ones(2), lambda: keras.ops.zeros(2)),
    (lambda: make(1.0), lambda: make(2.0)),
    (lambda: make(default=0), lambda: make(default=1)),
    (lambda: make([1, np.ones(2)]), lambda: make([1, np.zeros(2)])),
    (
        lambda: functools.partial(make(), 1),
        lambda: functools.partial(make(), 2),
    ),
    (lambda: Rule(1), lambda: Rule(2)),
    (lambda: Rule(1).method, lambda: Rule(2).method),
    (lambda: Rule, lambda: twin(1)),
    (lambda: Point(1), lambda: Point(2)),
    (lambda: keras.optimizers.SGD(0.1), lambda: keras.optimizers.SGD(0.5)),
    (lambda: np.exp, lambda: np.log),
    (lambda: margin, lambda: len),
    (lambda: str.upper, lambda: str.lower),
    (lambda: [1].count, lambda: [2].count),
    (lambda: keras, lambda: np),
]


@pytest.mark.parametrize("one, other", PAIRS)
def test_what_differs_is_told_apart(one, other):
    first = describe(one())
    assert json.loads(json.dumps(first)) == describe(one())
    assert first != describe(other())


def test_plain_values_globals_and_near_functions_count(monkeypatch):
    found = [describe(uses_epochs)]
    monkeypatch.setitem(globals(), "EPOCHS", 6)
    found.append(describe(uses_epochs))
    monkeypatch.setitem(globals(), "helper", lambda x: -x)
    found.append(describe(uses_epochs))
    assert len(set(found)) == 3


def test_what_comes_with_libraries_is_told_by_name():
    assert describe(margin) == "keras_plex.scores.forecast_scores.margin"
    assert describe(keras.losses.Huber) == describe(keras.losses.Huber)


def test_weights_that_a_function_encloses_count():
    layer = keras.layers.Dense(2)
    layer.build((None, 2))
    before = describe(make(layer))
    assert describe(make(layer)) == before
    layer.bias.assign([0.0, 1.0])
    assert describe(make(layer)) != before


def test_what_holds_itself_has_an_end():
    ring = [1]
    ring.append(ring)
    assert describe(ring) == [1, "..."]

    def recursive(x):
        return recursive(x - 1) if x else 0

    assert describe(recursive)


@pytest.mark.parametrize(
    "value", [object(), make(object()), [iter([])], operator.itemgetter(1)]
)
def test_what_cannot_be_told_is_an_error_that_says_what_to_do(value):
    with pytest.raises(
        ValueError, match="whether it is the same.*no `directory`. Received: "
    ):
        describe(value)

"""The loop keeps its books: what is labelled, drawn and spent."""

import itertools

import numpy as np
import pytest

from keras_plex.predictions import Predictions
from keras_plex.tasks.active.acquisitions import ACQUISITIONS
from keras_plex.tasks.active.log import RoundLog
from keras_plex.tasks.active.rounds import Budget
from keras_plex.tasks.active.rounds import checked_budget
from keras_plex.tasks.active.rounds import initial_rows
from keras_plex.tasks.active.rounds import run_rounds
from tests.task_cases import TEST
from tests.task_cases import TRAIN
from tests.task_cases import logits_model


class NoAdaptation:
    """Says what its inputs say, whatever is labelled."""

    def __init__(self):
        self.labels = {"pool": TRAIN[1], "test": TEST[1]}
        self.calls = []

    def adapt(self, rows, with_features):
        self.calls.append((rows.tolist(), with_features))
        inputs = {"pool": TRAIN[0], "test": TEST[0]}
        return lambda name: Predictions.from_outputs(
            inputs[name], "softmax_logits", features=inputs[name][:, None]
        )


def rounds_of(name="margin", adaptation=None, log=None, seed=0, **options):
    return run_rounds(
        (name, ACQUISITIONS[name]),
        adaptation or NoAdaptation(),
        Budget(8, 25, 5),
        log or RoundLog(None, logits_model(), {}),
        **{"selection": "top", "on_round": lambda count: None, **options},
        seed=seed,
    )


@pytest.mark.parametrize("selection", ["top", "power"])
@pytest.mark.parametrize("name", sorted(set(ACQUISITIONS) - {"bald"}))
def test_nothing_is_asked_for_twice(name, selection):
    counts = []
    found = rounds_of(name, selection=selection, on_round=counts.append)
    assert counts == [len(one.labelled) for one in found] == [8, 13, 18, 23, 25]
    for one in found:
        assert len(set(one.labelled)) == len(one.labelled)
        assert not set(one.chosen) & set(one.labelled)
    for before, after in itertools.pairwise(found):
        assert after.labelled == before.labelled + before.chosen
    assert found[-1].chosen == []


def test_the_highest_of_the_rest_are_chosen():
    first, second, *_ = rounds_of("margin")
    p = np.sort(
        Predictions.from_outputs(TRAIN[0], "softmax_logits").probabilities
    )
    margin = 1 - (p[:, -1] - p[:, -2])
    for one in (first, second):
        rest = np.setdiff1d(np.arange(300), one.labelled)
        expected = rest[np.argsort(-margin[rest])[:5]]
        assert set(one.chosen) == set(expected.tolist())


def test_columns_are_of_the_test_examples():
    [first, *_] = rounds_of()
    right = TEST[0].argmax(1) == TEST[1]
    np.testing.assert_array_equal(first.columns["right"], right)
    assert set(first.columns) == {"right", "nll"}


def test_acquisitions_begin_alike_and_seeds_differ():
    margin, uniform = rounds_of("margin")[0], rounds_of("uniform")[0]
    assert margin.labelled == uniform.labelled
    assert margin.chosen != uniform.chosen
    assert rounds_of("uniform") == rounds_of("uniform")
    other = rounds_of("uniform", seed=1)[0]
    assert set(other.labelled) != set(uniform.labelled)


def test_only_scores_of_features_ask_for_features():
    for name in ("margin", "density"):
        adaptation = NoAdaptation()
        rounds_of(name, adaptation)
        asked = {with_features for _, with_features in adaptation.calls}
        assert asked == {name == "density"}


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    whole = rounds_of("uniform", selection="power")

    class Killed(NoAdaptation):
        def adapt(self, rows, with_features):
            if len(self.calls) == 2:
                raise KeyboardInterrupt
            return super().adapt(rows, with_features)

    def log():
        return RoundLog(tmp_path, logits_model(), {"seed": 0})

    with pytest.raises(KeyboardInterrupt):
        rounds_of("uniform", Killed(), log(), selection="power")
    rest = NoAdaptation()
    found = rounds_of("uniform", rest, log(), selection="power")
    assert found == whole
    assert [len(rows) for rows, _ in rest.calls] == [18, 23, 25]
    nothing = NoAdaptation()
    assert rounds_of("uniform", nothing, log(), selection="power") == whole
    assert not nothing.calls


def test_the_first_examples_are_even_over_classes():
    labels = np.array([0] * 50 + [1] * 3 + [2] * 50)
    for count, expected in ((3, [1, 1, 1]), (9, [3, 3, 3]), (20, [8, 3, 9])):
        rows = initial_rows(labels, count, np.random.default_rng(0))
        assert len(set(rows)) == count
        found = np.bincount(labels[rows])
        assert sorted(found) == sorted(expected)


def test_defaults_follow_the_number_of_classes():
    labels = np.arange(300) % 4
    assert checked_budget(None, None, None, labels) == (8, 80, 8)
    assert checked_budget(None, None, None, labels[:50]) == (8, 50, 8)
    assert checked_budget(4, 300, 1, labels) == (4, 300, 1)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((3, None, None), "each of the 4 classes.*initial=3"),
        ((None, 301, None), "budget=301, initial=8, 300 examples"),
        ((20, 10, None), "budget=10, initial=20"),
    ],
)
def test_budgets_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        checked_budget(*arguments, np.arange(300) % 4)


def test_one_class_is_nothing_to_learn():
    with pytest.raises(ValueError, match="at least two classes"):
        checked_budget(None, None, None, np.zeros(9, int))


def test_rounds_of_another_start_are_made_again(tmp_path):
    log = RoundLog(tmp_path, logits_model(), {})
    found = rounds_of(log=log)
    changed = found[1]._replace(chosen=found[1].chosen[::-1])
    log.write(("margin", ACQUISITIONS["margin"]), 1, changed)
    adaptation = NoAdaptation()
    again = rounds_of(adaptation=adaptation, log=log)
    for before, after in itertools.pairwise(again):
        assert after.labelled == before.labelled + before.chosen
    # The first two are read; those that followed another round are not.
    assert len(adaptation.calls) == len(found) - 2

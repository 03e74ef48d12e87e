"""A loop gives the same laid out, and then leaves no loop behind."""

import keras
import pytest
from keras import ops

from keras_plex.ops.counted_loops import laid_out
from keras_plex.ops.counted_loops import run_loop


def add_turn(i, state):
    total, product = state
    return total + ops.cast(i, "float32"), product * 2.0


@pytest.mark.parametrize("times", [1, 2, 5])
def test_every_turn_is_taken_in_order(times):
    start = (ops.zeros(()), ops.ones(()))
    total, product = run_loop(times, add_turn, start)
    assert float(total) == sum(range(times))
    assert float(product) == 2.0**times
    with laid_out():
        again = run_loop(times, add_turn, start)
    assert [float(one) for one in again] == [float(total), float(product)]


def test_a_loop_that_fails_leaves_later_ones_as_they_were(monkeypatch):
    taken = []
    monkeypatch.setattr(
        ops, "fori_loop", lambda *arguments: taken.append(arguments)
    )
    with pytest.raises(ZeroDivisionError), laid_out():
        run_loop(2, lambda i, state: 1 / 0, ())
    assert not taken
    run_loop(2, add_turn, ())
    assert len(taken) == 1


def test_laid_out_it_needs_no_loop_of_the_backend():
    if keras.config.backend() != "tensorflow":
        pytest.skip("looks into a graph of TensorFlow")
    import tensorflow as tf

    def types(run):
        graph = tf.function(run).get_concrete_function().graph
        return {one.type for one in graph.get_operations()}

    def run():
        return run_loop(3, add_turn, (ops.zeros(()), ops.ones(())))

    def run_laid_out():
        with laid_out():
            return run()

    assert types(run) & {"While", "StatelessWhile"}
    assert not types(run_laid_out) & {"While", "StatelessWhile"}

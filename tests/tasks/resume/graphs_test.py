"""Graphs are told by what they compute, not by how TensorFlow calls it."""

import pytest

from keras_plex.tasks.resume.graphs import mark_functions

tf = pytest.importorskip("tensorflow")


def signatures(step, folder):
    """Of a loop, which calls functions, after a load."""
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec((), "float32", name="x")])
    def serve(x):
        last = tf.while_loop(
            lambda i, y: i < 3, lambda i, y: (i + 1, y + step), (0, x)
        )
        return {"y": last[1]}

    tf.saved_model.save(module, str(folder), signatures={"serve": serve})
    return dict(tf.saved_model.load(str(folder)).signatures)


def test_constants_within_functions_count_and_their_names_do_not(tmp_path):
    one = signatures(1.0, tmp_path / "a")
    again = dict(tf.saved_model.load(str(tmp_path / "a")).signatures)
    other = signatures(2.0, tmp_path / "b")
    assert float(other["serve"](x=tf.constant(0.0))["y"]) == 6.0
    marks = [mark_functions(x) for x in (one, again, other)]
    assert marks[0] == marks[1] and list(marks[0]) == ["serve"]
    assert marks[0] != marks[2]

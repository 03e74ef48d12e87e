"""Options have the defaults of `keras_plex.evaluate`."""

import argparse
import inspect

import keras_plex
from keras_plex.cli.task_options import add_measuring_arguments
from keras_plex.cli.task_options import add_task_arguments
from keras_plex.cli.task_options import measuring_options


def test_measuring_is_as_in_python():
    parser = argparse.ArgumentParser()
    add_measuring_arguments(parser)
    arguments = inspect.signature(keras_plex.evaluate).parameters
    found = measuring_options(parser.parse_args([]))
    assert set(found) == {"batch_size", "max_examples", "resamples", "seed"}
    for name, value in found.items():
        assert value == arguments[name].default


def test_pairs_may_follow_one_option_or_several():
    parser = argparse.ArgumentParser()
    add_task_arguments(parser)
    typed = ["--data", "a=1", "b=2", "--data", "c=3", "--task", "x"]
    found = parser.parse_args(typed)
    assert found.data == ["a=1", "b=2", "c=3"] and found.task == ["x"]

"""Options have the defaults of `keras_plex.evaluate`."""

import argparse
import inspect

import keras_plex
from keras_plex.cli.task_options import MEASURING_OPTIONS
from keras_plex.cli.task_options import TASK_OPTIONS
from keras_plex.cli.task_options import add_measuring_arguments
from keras_plex.cli.task_options import add_task_arguments
from keras_plex.cli.task_options import measuring_options
from keras_plex.cli.task_options import which_typed


def test_measuring_is_as_in_python():
    parser = argparse.ArgumentParser()
    add_measuring_arguments(parser)
    arguments = inspect.signature(keras_plex.evaluate).parameters
    found = measuring_options(parser.parse_args([]))
    assert set(found) == {"batch_size", "max_examples", "resamples", "seed"}
    for name, value in found.items():
        assert value == arguments[name].default


def test_what_was_typed_is_told_from_defaults_even_if_it_is_the_same():
    parser = argparse.ArgumentParser()
    add_measuring_arguments(parser)
    add_task_arguments(parser)
    options = [*MEASURING_OPTIONS, *TASK_OPTIONS]
    assert which_typed(parser.parse_args([]), options) == []
    typed = ["--seed", "0", "--resamples", "200", "--download"]
    typed += ["--data", "a=1", "--tasks", "x"]
    assert which_typed(parser.parse_args(typed), options) == [
        "--resamples",
        "--seed",
        "--data",
        "--tasks",
        "--download",
    ]


def test_pairs_may_follow_one_option_or_several():
    parser = argparse.ArgumentParser()
    add_task_arguments(parser)
    typed = ["--data", "a=1", "b=2", "--data", "c=3", "--task", "x"]
    found = parser.parse_args(typed)
    assert found.data == ["a=1", "b=2", "c=3"] and found.task == ["x"]

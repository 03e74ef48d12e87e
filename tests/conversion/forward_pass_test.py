"""What a pass sets is seen within it, by its thread, and then undone."""

import threading

import keras
import numpy as np
import pytest

from keras_plex.conversion import forward_pass
from keras_plex.conversion.surgery import add_mixin


def test_a_pass_returns_forecasts_unless_told():
    assert forward_pass.mode() == forward_pass.FORECAST
    assert not forward_pass.is_class_token_only()


def test_modes_nest_and_come_back_after_an_error():
    with forward_pass.returning(forward_pass.MEMBERS):
        with pytest.raises(KeyError):
            with forward_pass.returning(forward_pass.DETAILS):
                assert forward_pass.mode() == forward_pass.DETAILS
                raise KeyError
        assert forward_pass.mode() == forward_pass.MEMBERS
    assert forward_pass.mode() == forward_pass.FORECAST


def test_another_thread_is_in_no_pass():
    seen = []

    def look():
        seen.append((forward_pass.mode(), forward_pass.is_class_token_only()))

    with forward_pass.returning(forward_pass.MEMBERS):
        with forward_pass.model_pass(class_token_only=True):
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()
    assert seen == [(forward_pass.FORECAST, False)]


def test_passes_nest_and_come_back_after_an_error():
    with forward_pass.model_pass(class_token_only=True):
        with pytest.raises(KeyError):
            with forward_pass.model_pass(class_token_only=False):
                assert not forward_pass.is_class_token_only()
                raise KeyError
        assert forward_pass.is_class_token_only()
    assert not forward_pass.is_class_token_only()


def test_a_pass_knows_what_its_head_got():
    head = keras.layers.Dense(2)
    head.build((None, 3))
    add_mixin(head, forward_pass.RecordsInputs)
    x, y = np.ones((4, 3)), np.zeros((5, 3))
    with forward_pass.model_pass(class_token_only=False) as outer:
        assert outer.head_inputs is None
        head(x)
        assert outer.head_inputs is x
        # An inner model's head is its own affair.
        with forward_pass.model_pass(class_token_only=False) as inner:
            assert inner.head_inputs is None
            head(y)
            assert inner.head_inputs is y
        assert outer.head_inputs is x


def test_a_head_called_outside_a_pass_leaves_nothing_behind():
    head = keras.layers.Dense(2)
    add_mixin(head, forward_pass.RecordsInputs)
    head(np.ones((4, 3)))
    with forward_pass.model_pass(class_token_only=False) as current:
        head(np.ones((4, 3)))
    assert current.head_inputs is None


def test_a_pass_of_the_stock_model_ends_where_another_model_begins():
    assert not forward_pass.is_stock()
    with forward_pass.stock_pass():
        assert forward_pass.is_stock()
        with forward_pass.model_pass(class_token_only=False):
            assert not forward_pass.is_stock()
        with pytest.raises(KeyError):
            with forward_pass.stock_pass():
                raise KeyError
        assert forward_pass.is_stock()
    assert not forward_pass.is_stock()


def test_what_reaches_an_output_layer_can_be_told():
    forward_pass.record_head_inputs("nobody asks")
    with forward_pass.model_pass(class_token_only=False) as current:
        assert current.head_inputs is None
        forward_pass.record_head_inputs("features")
        assert current.head_inputs == "features"


def test_members_of_a_forecast_are_known_while_they_are_remembered():
    forecast, members = np.ones((2, 3)), np.ones((2, 4, 3))
    forward_pass.record_members(forecast, members)
    assert forward_pass.members_of(forecast) is None
    with forward_pass.remembering_members():
        forward_pass.record_members(forecast, members)
        with forward_pass.remembering_members():  # joins the outer one
            assert forward_pass.members_of(forecast) is members
        assert forward_pass.members_of(forecast) is members
        assert forward_pass.members_of(forecast.copy()) is None
    assert forward_pass.members_of(forecast) is None

"""What a `PlexModel` knows beyond its stock model stays one plain object."""

import keras
import pytest

import keras_plex
from keras_plex.models.plex_state import PlexState


@pytest.fixture(scope="module")
def model():
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(3),
        ]
    )
    return keras_plex.plexify(stock, last_blocks=1, head="keep")


def test_keras_neither_tracks_nor_wraps_it(model):
    (state,) = [v for v in vars(model).values() if isinstance(v, PlexState)]
    assert type(state.functions) is dict
    assert type(state.stock_config) is dict
    assert len(model.layers) == 2


def test_it_holds_the_stock_models_config(model):
    (state,) = [v for v in vars(model).values() if isinstance(v, PlexState)]
    stock = keras.saving.deserialize_keras_object(state.stock_config)
    assert type(stock) is keras.Sequential
    assert [type(layer) for layer in stock.layers] == [keras.layers.Dense] * 2


def test_models_share_no_functions(model):
    (state,) = [v for v in vars(model).values() if isinstance(v, PlexState)]
    fields = {**vars(state)}
    fields.pop("functions")
    other, another = PlexState(**fields), PlexState(**fields)
    other.functions["details"] = print
    assert another.functions == {}
    assert another.validation_data is None

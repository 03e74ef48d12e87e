"""A conversion that breaks a promise fails `check_family`, which says which."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from keras_plex.conversion.tiling import TilesArguments
from keras_plex.layers.batch_ensemble import BatchEnsembleLayer
from keras_plex.models.plex_model import PlexModel
from keras_plex.plexify import plexify
from keras_plex.testing import FAMILY_CONTRACTS
from keras_plex.testing import check_family
from keras_plex.testing import family_case
from keras_plex.testing import family_contracts
from keras_plex.testing.family_contracts import random_inputs
from tests import cases

ARGUMENTS = {"last_blocks": 1, "head_options": {"num_features": 8}}


def square_mlp():
    layers = [
        keras.layers.Dense(4, "relu", name=f"dense_{i}") for i in range(1, 3)
    ]
    layers.append(keras.layers.Dense(cases.CLASSES))
    return keras.Sequential([keras.Input((4,)), *layers])


def broken(
    monkeypatch, contract, model=cases.mlp, arguments=ARGUMENTS, **options
):
    """The message for the one contract that is checked."""
    only = {contract: FAMILY_CONTRACTS[contract]}
    monkeypatch.setattr(family_contracts, "FAMILY_CONTRACTS", only)
    with pytest.raises(AssertionError) as error:
        check_family(model, arguments, fresh_process=False, **options)
    message = str(error.value)
    assert message.startswith(f"Sequential breaks the contract {contract!r}")
    return message


def test_a_model_that_keeps_every_contract_passes():
    check_family(cases.mlp, ARGUMENTS, fresh_process=False)


def test_members_that_move_the_function_are_told(monkeypatch):
    call = BatchEnsembleLayer.call

    def shifted(self, inputs, training=None):
        return call(self, inputs, training) + 0.01

    monkeypatch.setattr(BatchEnsembleLayer, "call", shifted)
    assert "members differ by" in broken(monkeypatch, "neutral start")


def test_a_forecast_of_another_model_is_told(monkeypatch):
    def elsewhere(self, x, **kwargs):
        return ops.zeros((4, cases.CLASSES)) + ops.arange(3.0)

    contract = "the forecast is the stock model's"
    monkeypatch.setattr(PlexModel, "call", elsewhere)
    message = broken(monkeypatch, contract)
    assert "forecasts differ by" in message


def test_rows_tiled_too_early_are_told(monkeypatch):
    contract = "the trunk is computed once"
    message = broken(monkeypatch, contract, tiles_inputs=True)
    assert "comes before the members but sees 4 rows" in message


def test_a_layer_with_members_and_too_few_rows_is_told(monkeypatch):
    def untiled(self, *args, **kwargs):
        return super(TilesArguments, self).__call__(*args, **kwargs)

    monkeypatch.setattr(TilesArguments, "__call__", untiled)
    # Four rows are no multiple of three members.
    message = broken(monkeypatch, "the trunk is computed once")
    assert "multiple of `ensemble_size`" in message


def test_a_weight_that_no_layer_accounts_for_is_told(monkeypatch):
    def forgets_a_layer(*args, **kwargs):
        model = plexify(*args, **kwargs)
        state = model._plex
        few = state.conversion.converted[:-1]
        state.conversion = dataclasses.replace(state.conversion, converted=few)
        return model

    monkeypatch.setattr(family_case, "plexify", forgets_a_layer)
    assert "weights, not" in broken(monkeypatch, "weights counted")


def test_members_that_cannot_learn_are_told(monkeypatch):
    call = BatchEnsembleLayer.call

    def constant(self, inputs, training=None):
        return inputs + 0.0 * call(self, inputs, training)

    monkeypatch.setattr(BatchEnsembleLayer, "call", constant)
    arguments = {"layers": ["dense_2"], "head": "keep"}
    contract = "one step of training"
    message = broken(monkeypatch, contract, square_mlp, arguments)
    assert "no weight of 'dense_2' moves" in message


def test_a_file_that_loses_a_weight_is_told(monkeypatch):
    load = BatchEnsembleLayer.load_own_variables

    def forgetful(self, store):
        load(self, store)
        self.alpha.assign(ops.ones(self.alpha.shape))

    monkeypatch.setattr(BatchEnsembleLayer, "load_own_variables", forgetful)
    message = broken(monkeypatch, "the file gives the same model")
    assert "loaded outputs differ by" in message


def test_an_export_of_other_numbers_is_told(monkeypatch):
    found = np.zeros((4, cases.CLASSES), "float32")
    monkeypatch.setattr(
        family_contracts, "call_exported", lambda model, inputs: [found]
    )
    assert "outputs differ by" in broken(monkeypatch, "export")


def test_random_inputs_have_the_shapes_of_the_model():
    inputs = {
        "words": keras.Input((None,), dtype="int32", name="words"),
        "image": keras.Input((4, 4, 1), name="image"),
    }
    x = keras.layers.Embedding(2, 3)(inputs["words"])
    x = ops.mean(x, axis=1) + ops.mean(inputs["image"], axis=(1, 2, 3))[:, None]
    drawn = random_inputs(keras.Model(inputs, x), 2)
    assert drawn["words"].shape == (2, 5)
    assert set(np.unique(drawn["words"])) <= {0, 1}
    assert drawn["image"].shape == (2, 4, 4, 1)
    assert drawn["image"].std() > 0.5

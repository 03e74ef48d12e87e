"""Frozen trunks: members learn, what they share stays."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from keras_plex import plexify
from tests import cases

LABELS = np.array([0, 1, 2, 0])
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def names(model):
    return [w.path.split("/")[-1] for w in model.trainable_weights]


def changes(model):
    """Paths of the weights that a step of `fit` moves."""
    before = [ops.convert_to_numpy(w) for w in model.weights]
    model.compile(keras.optimizers.SGD(0.1), LOSS)
    model.fit(cases.examples(model), LABELS, verbose=0)
    return {
        w.path
        for old, w in zip(before, model.weights, strict=True)
        if w.trainable and not np.array_equal(old, ops.convert_to_numpy(w))
    }


@pytest.fixture
def frozen_vit():
    stock = cases.make("vit")
    stock.backbone.trainable = False
    with pytest.warns(UserWarning, match="6 of 6 converted layers are frozen"):
        return plexify(stock, last_blocks=1, head="keep", seed=0)


def test_members_of_a_frozen_backbone_stay_unless_asked(frozen_vit):
    plex = frozen_vit
    assert names(plex) == ["kernel", "bias"]
    plex.freeze_shared_weights()
    members = ["alpha", "gamma", "member_bias"] * 6
    assert sorted(names(plex)) == sorted([*members, "kernel", "bias"])
    moved = changes(plex)
    trained = {w.path for w in plex.trainable_weights}
    assert moved == trained
    assert not any("kernel" in path for path in moved if "mlp" in path)


def test_an_unfrozen_model_has_its_shared_weights_frozen():
    plex = plexify(cases.make("mlp"), last_blocks=1, seed=0)
    everything = len(plex.trainable_weights)
    plex.freeze_shared_weights()
    assert len(plex.trainable_weights) < everything
    assert not plex.layers[0].trainable
    assert not plex.layers[1].kernel.trainable
    assert plex.layers[1].alpha.trainable
    assert plex.layers[2].trainable


def test_the_flags_and_the_optimizer_come_back_from_a_file(tmp_path):
    plex = plexify(cases.make("mlp"), last_blocks=1, seed=0)
    plex.compile("adam", LOSS)
    plex.freeze_shared_weights()
    x = cases.examples(plex)
    plex.fit(x, LABELS, verbose=0)
    plex.save(tmp_path / "model.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert names(loaded) == names(plex)
    assert len(loaded.optimizer.variables) == len(plex.optimizer.variables)
    for model in (plex, loaded):
        model.fit(x, LABELS, verbose=0, shuffle=False)
    np.testing.assert_allclose(
        loaded.predict(x, verbose=0), plex.predict(x, verbose=0), atol=1e-6
    )


def test_parts_frozen_after_the_conversion_are_as_in_keras():
    plex = plexify(cases.make("mlp"), last_blocks=1, head="keep", seed=0)
    everything = len(plex.trainable_weights)
    plex.layers[1].trainable = False
    assert len(plex.trainable_weights) == everything - 5
    plex.layers[1].trainable = True
    assert len(plex.trainable_weights) == everything


def test_frozen_batch_normalization_keeps_its_statistics():
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            layers.BatchNormalization(name="norm"),
            layers.Dense(5, "relu", name="dense_1"),
            layers.Dense(3, name="head"),
        ]
    )
    stock.get_layer("norm").trainable = False
    plex = plexify(stock, last_blocks=1, head="keep", seed=0)
    norm = plex.get_layer("norm")
    before = [ops.convert_to_numpy(w) for w in norm.weights]
    changes(plex)
    for old, weight in zip(before, norm.weights, strict=True):
        np.testing.assert_array_equal(old, ops.convert_to_numpy(weight))


# LoRA.


def test_lora_before_the_conversion_learns_with_members_and_head():
    stock = cases.make("mlp")
    stock.layers[0].enable_lora(2)
    cases.with_random_weights(stock)
    plex = plexify(stock, last_blocks=1, head="keep", seed=0)
    plex.freeze_shared_weights()
    lora = ["lora_kernel_a", "lora_kernel_b"]
    members = ["alpha", "gamma", "member_bias"]
    assert names(plex) == [*lora, *members, "kernel", "bias"]
    assert changes(plex) == {w.path for w in plex.trainable_weights}


def test_lora_after_the_conversion_starts_neutral_and_is_saved(tmp_path):
    plex = plexify(cases.make("vit"), last_blocks=1, head="keep", seed=0)
    x = cases.examples(plex)
    before = plex.predict(x, verbose=0)
    plex.backbone.enable_lora(2)
    np.testing.assert_allclose(plex.predict(x, verbose=0), before, atol=1e-6)
    # Keras freezes the members of all layers but those with LoRA.
    assert names(plex).count("alpha") == 2
    plex.freeze_shared_weights()
    assert names(plex).count("alpha") == 6
    assert names(plex).count("lora_kernel_a") == 6
    moved = changes(plex)
    # The other half of LoRA has no gradient while this one is zero.
    names_moved = {path.split("/")[-1] for path in moved}
    assert names_moved >= {"lora_kernel_b", "alpha"}
    plex.save(tmp_path / "model.keras")
    with warnings.catch_warnings():
        # LoRA is merged, as Keras does: the optimizer begins anew.
        warnings.simplefilter("ignore")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert not any("lora" in w.path for w in loaded.weights)
    np.testing.assert_allclose(
        loaded.predict(x, verbose=0), plex.predict(x, verbose=0), atol=1e-5
    )

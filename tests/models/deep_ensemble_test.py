"""Members train together as they would alone."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from keras_plex.conversion.copying import copy_compilation
from keras_plex.conversion.copying import copy_model
from keras_plex.models import DeepEnsemble
from tests import cases

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = np.arange(12) % 3
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def numpy(x):
    return ops.convert_to_numpy(x)


def make_member(seed, regularizer="l2", **names):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((4,))
    h = layers.Dense(8, "tanh", kernel_regularizer=regularizer, **names)(inputs)
    h = layers.BatchNormalization()(h)
    model = keras.Model(inputs, layers.Dense(3)(h))
    return cases.with_random_weights(model, seed)


def make_members(count=3, **options):
    return [make_member(seed, **options) for seed in range(count)]


def compiled(model, optimizer, **options):
    model.compile(
        optimizer.from_config(optimizer.get_config()),
        LOSS,
        **{"run_eagerly": True, **options},
    )
    return model


OPTIMIZERS = {
    "momentum": keras.optimizers.SGD(0.1, momentum=0.9),
    "adam": keras.optimizers.AdamW(0.01, epsilon=1e-3, clipnorm=0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_member_trains_as_if_alone(name):
    # Batches of four are normalized: in float32 rounding grows with each step.
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    together, alone = make_members(), make_members()
    options = {"batch_size": 4, "epochs": 3, "shuffle": False, "verbose": 0}
    weights = np.arange(12.0)
    for model in alone:
        compiled(model, OPTIMIZERS[name])
        model.fit(X, Y, sample_weight=weights, **options)
    ensemble = compiled(DeepEnsemble(together), OPTIMIZERS[name])
    ensemble.fit(X, Y, sample_weight=weights, **options)
    for one, other in zip(together, alone, strict=True):
        pairs = zip(one.weights, other.weights, strict=True)
        for ours, theirs in pairs:
            # JAX computes in float32 all the same.
            tolerance = 1e-9 if numpy(ours).dtype == "float64" else 1e-5
            np.testing.assert_allclose(
                numpy(ours), numpy(theirs), atol=tolerance, err_msg=ours.path
            )


def test_members_of_equal_names_train_too():
    """PyTorch finds what to set to zero by paths."""
    together = make_members(2, name="same")
    alone = make_members(2, name="same")
    ensemble = compiled(DeepEnsemble(together), OPTIMIZERS["momentum"])
    for model in (
        ensemble,
        *(compiled(m, OPTIMIZERS["momentum"]) for m in alone),
    ):
        for _ in range(3):
            model.train_on_batch(X, Y)
    for one, other in zip(together, alone, strict=True):
        found, expected = numpy(one.weights[0]), numpy(other.weights[0])
        np.testing.assert_allclose(found, expected, atol=2e-6)


def test_the_loss_shown_is_the_mean_of_the_members():
    members = make_members()
    ensemble = compiled(DeepEnsemble(members), keras.optimizers.SGD(0.0))
    expected = [
        compiled(m, keras.optimizers.SGD(0.0)).train_on_batch(X, Y)
        for m in make_members()
    ]
    assert ensemble.train_on_batch(X, Y) == pytest.approx(np.mean(expected))


def test_evaluation_counts_the_mean_regularization():
    members = make_members(regularizer=keras.regularizers.L2(1.0))
    ensemble = compiled(DeepEnsemble(members), keras.optimizers.SGD(0.0))
    penalty = np.mean([np.sum(numpy(m.weights[0]) ** 2) for m in members])
    logits = numpy(ensemble(X))
    expected = float(LOSS(Y, logits)) + penalty
    found = ensemble.evaluate(X, Y, verbose=0)
    assert found == pytest.approx(expected, rel=1e-5)


def test_models_are_shared_and_stay_what_they_are():
    members = make_members()
    classes = [[type(layer) for layer in m.layers] for m in members]
    before = [m.get_weights()[0] for m in members]
    ensemble = compiled(DeepEnsemble(members), OPTIMIZERS["momentum"])
    assert all(
        one is other
        for one, other in zip(ensemble.members, members, strict=True)
    )
    ensemble.predict_uncertainty(X, features=True)
    ensemble.fit(X, Y, verbose=0)
    for member, weight in zip(members, before, strict=True):
        assert np.any(member.get_weights()[0] != weight)
    assert [[type(layer) for layer in m.layers] for m in members] == classes
    found = ensemble.predict_members(X)
    for i, member in enumerate(members):
        np.testing.assert_allclose(
            found[:, i], member.predict(X, verbose=0), atol=1e-6
        )


def test_a_single_model_is_an_ensemble_of_one():
    member = make_member(0)
    ensemble = DeepEnsemble([member])
    np.testing.assert_allclose(
        numpy(ops.softmax(ensemble(X))),
        numpy(ops.softmax(member(X))),
        atol=1e-6,
    )
    assert ensemble.predict_members(X).shape == (12, 1, 3)


def test_it_is_compiled_like_the_first_member():
    members = make_members(2)
    assert not DeepEnsemble(members).compiled
    compiled(members[0], keras.optimizers.SGD(0.5), metrics=["accuracy"])
    compiled(members[1], keras.optimizers.Adam(0.1))
    ensemble = DeepEnsemble(members)
    assert float(ensemble.optimizer.learning_rate) == 0.5
    assert ensemble.optimizer is not members[0].optimizer
    names = ensemble.fit(X, Y, verbose=0).history
    assert set(names) == {"loss", "accuracy"}


def test_outputs_of_several_kinds_have_a_loss_each():
    members = []
    for seed in range(2):
        model = cases.MODELS["multi_output"]()
        members.append(cases.with_random_weights(model, seed))
    ensemble = DeepEnsemble(members)
    ensemble.compile(
        "sgd",
        {"label": "sparse_categorical_crossentropy", "number": "mse"},
        run_eagerly=True,
    )
    assert ensemble.output_kinds == ("probabilities", "regression")
    y = {"label": Y, "number": X[:, :1]}
    assert set(ensemble.fit(X, y, verbose=0).history) >= {"loss"}
    found = ensemble.predict(X, verbose=0)
    expected = [m.predict(X, verbose=0) for m in members]
    for name, value in found.items():
        mean = np.mean([e[name] for e in expected], axis=0)
        np.testing.assert_allclose(value, mean, atol=1e-6)


def test_named_inputs_stay_named():
    models = [cases.MODELS["two_inputs"]() for _ in range(2)]
    ensemble = DeepEnsemble(models)
    x = cases.examples(models[0])
    assert set(ensemble.input) == {"a", "b"}
    np.testing.assert_allclose(
        ensemble.predict_members(x)[:, 0], numpy(models[0](x)), atol=1e-6
    )


# from_model


def test_members_are_drawn_anew_and_the_model_is_left_alone():
    model = make_member(0)
    before = model.get_weights()
    ensemble = DeepEnsemble.from_model(model, seed=0)
    assert ensemble.ensemble_size == 3
    firsts = [member.get_weights()[0] for member in ensemble.members]
    for weight in (firsts[1], firsts[2], before[0]):
        assert np.all(weight != firsts[0])
    ensemble.compile("sgd", LOSS, run_eagerly=True)
    ensemble.fit(X, Y, verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


def test_more_members_begin_with_the_same_ones():
    model = make_member(0)
    few = DeepEnsemble.from_model(model, 2, seed=4)
    more = DeepEnsemble.from_model(model, 3, seed=4)
    for one, other in zip(few.members, more.members, strict=False):
        for ours, theirs in zip(one.weights, other.weights, strict=True):
            np.testing.assert_array_equal(numpy(ours), numpy(theirs))


def test_weights_of_members_have_paths_of_their_own():
    ensemble = DeepEnsemble.from_model(make_member(0, name="same"), 3)
    paths = [weight.path for weight in ensemble.weights]
    assert len(set(paths)) == len(paths)
    assert [member.name[-2:] for member in ensemble.members] == [
        "_0",
        "_1",
        "_2",
    ]


def test_it_is_compiled_like_the_model_it_is_made_from():
    model = compiled(make_member(0), keras.optimizers.SGD(0.5))
    ensemble = DeepEnsemble.from_model(model, 2, name="two")
    assert ensemble.name == "two"
    assert float(ensemble.optimizer.learning_rate) == 0.5
    assert not DeepEnsemble.from_model(make_member(0), 2).compiled


def test_a_size_or_a_model_that_is_none_is_refused():
    with pytest.raises(ValueError, match="positive integer"):
        DeepEnsemble.from_model(make_member(0), 0)
    with pytest.raises(ValueError, match="must be a `keras.Model`"):
        DeepEnsemble.from_model([make_member(0)])


def test_frozen_members_are_refused():
    model = make_member(0)
    model.trainable = False
    with pytest.raises(ValueError, match="have equal weights"):
        DeepEnsemble.from_model(model, 2)


# KerasHub tasks


def make_task(seed):
    keras_hub = pytest.importorskip("keras_hub")
    converter = keras_hub.layers.ImageConverter((8, 8), scale=1 / 255)
    preprocessor = keras_hub.models.ViTImageClassifierPreprocessor(converter)
    task = cases.vit(1, preprocessor=preprocessor)
    cases.with_random_weights(task, seed)
    task.compile("sgd", LOSS, run_eagerly=True)
    return task


def test_tasks_take_raw_images_and_members_are_theirs():
    tasks = [make_task(seed) for seed in range(2)]
    ensemble = DeepEnsemble(tasks)
    raw = RNG.integers(0, 255, size=(6, 10, 10, 1)).astype("uint8")
    assert ensemble.preprocessor is tasks[0].preprocessor
    found = ensemble.predict_members(raw)
    for i, task in enumerate(tasks):
        expected = task.predict(raw, verbose=0)
        np.testing.assert_allclose(found[:, i], expected, atol=1e-6)
    # Called directly, they take what the network takes.
    images = numpy(tasks[0].preprocessor(raw))
    found = [numpy(ops.softmax(task(images))) for task in tasks]
    expected = np.mean(found, axis=0)
    np.testing.assert_allclose(
        numpy(ops.softmax(ensemble(images))), expected, atol=1e-6
    )
    loss = ensemble.evaluate(raw, Y[:6], verbose=0)
    ensemble.fit(raw, Y[:6], epochs=2, verbose=0)
    assert ensemble.evaluate(raw, Y[:6], verbose=0) != loss
    # Other tasks are what they were.
    assert tasks[0].predict(raw, verbose=0).shape == (6, 3)
    assert make_task(3).predict(raw, verbose=0).shape == (6, 3)


def test_members_made_from_a_task_share_its_preprocessor():
    task = make_task(0)
    ensemble = DeepEnsemble.from_model(task, 2, seed=1)
    assert all(m.preprocessor is task.preprocessor for m in ensemble.members)
    assert type(ensemble.members[0]) is type(task)


def test_equal_members_stay_equal_under_one_optimizer():
    """Neither is favoured by the order, or by an optimizer of its own."""
    member = compiled(make_member(0), keras.optimizers.Adam(0.1))
    twin = copy_model(member)
    copy_compilation(member, twin)
    ensemble = DeepEnsemble([member, twin])
    ensemble.fit(X, Y, shuffle=False, verbose=0)
    for one, other in zip(member.weights, twin.weights, strict=True):
        np.testing.assert_allclose(numpy(one), numpy(other), atol=1e-6)


def test_heads_with_a_covariance_know_their_data_after_fit():
    from keras_plex.layers import RandomFeatureGP

    members = [
        keras.Sequential(
            [keras.Input((4,)), RandomFeatureGP(3, num_features=8, seed=seed)]
        )
        for seed in range(2)
    ]
    ensemble = DeepEnsemble(members)
    ensemble.compile("sgd", LOSS)
    ensemble.fit(X, Y, epochs=2, verbose=0)
    for member in members:
        covariance = member.layers[0].covariance
        assert float(covariance.has_data) == 1.0
        seen = np.linalg.eigvalsh(numpy(covariance.precision))
        # A row adds about 1: those of the last epoch are there, once.
        assert 0.5 * len(X) < seen.sum() < 1.5 * len(X)

"""A prepared optimizer is the stock one, but for fast weights and decay."""

import copy
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import optimizers

from keras_plex.layers import BatchEnsembleDense
from keras_plex.optimizers import prepare_optimizer

BACKEND = keras.config.backend()

OPTIMIZERS = {
    "adadelta": lambda: optimizers.Adadelta(1.0),
    "adafactor": lambda: optimizers.Adafactor(0.5),
    "adafactor, fixed": lambda: optimizers.Adafactor(0.5, relative_step=False),
    "adagrad": lambda: optimizers.Adagrad(0.1),
    "adam": lambda: optimizers.Adam(0.01),
    "adam, amsgrad": lambda: optimizers.Adam(0.01, amsgrad=True),
    "adamax": lambda: optimizers.Adamax(0.01),
    "adamw": lambda: optimizers.AdamW(0.01),
    "ftrl": lambda: optimizers.Ftrl(0.01),
    "lamb": lambda: optimizers.Lamb(0.01),
    "lion": lambda: optimizers.Lion(0.01),
    "muon": lambda: optimizers.Muon(0.01),
    "nadam": lambda: optimizers.Nadam(0.01),
    "rmsprop": lambda: optimizers.RMSprop(0.01, momentum=0.9, centered=True),
    "schedule free": lambda: optimizers.ScheduleFreeAdamW(0.01),
    "sgd": lambda: optimizers.SGD(0.1),
    "nesterov": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
}
# These compute a weight anew: their learning rate is multiplied instead.
WITHOUT_STEPS = ("ftrl", "schedule free")
each_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


def to_numpy(x):
    return keras.ops.convert_to_numpy(x).copy()


def built_layer(seed=0):
    keras.utils.set_random_seed(seed)
    layer = BatchEnsembleDense(3, ensemble_size=2)
    layer.build((None, 4))
    return layer


def random_gradients(layer, seed=1):
    generator = np.random.default_rng(seed)
    return {
        weight.name: generator.normal(size=weight.shape).astype("float32")
        for weight in layer.trainable_weights
    }


def values(layer):
    return {weight.name: to_numpy(weight) for weight in layer.weights}


def steps(optimizer, number=1):
    """How far each weight of a layer moves, step by step."""
    layer = built_layer()
    optimizer.build(layer.trainable_weights)
    moved = []
    for i in range(number):
        gradients = random_gradients(layer, seed=i).values()
        gradients = [keras.ops.convert_to_tensor(g) for g in gradients]
        before = values(layer)
        optimizer.apply(gradients, layer.trainable_weights)
        after = values(layer)
        moved.append({k: after[k] - before[k] for k in after})
    return moved


def members_model(optimizer, **arguments):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    layer = BatchEnsembleDense(3, ensemble_size=2)
    model = keras.Model(inputs, layer(inputs))
    model.compile(optimizer, "mse", **arguments)
    return model


def batch():
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    return x, np.ones((8, 3), "float32")


def model_step(optimizer, **arguments):
    """How far each weight moves in a step of `fit`."""
    model = members_model(optimizer, **arguments)
    before = values(model.layers[1])
    model.train_on_batch(*batch())
    after = values(model.layers[1])
    return {k: after[k] - before[k] for k in after}


def assert_doubled(stock, prepared):
    """Twice the steps of the fast weights, and the others' as they were."""
    for name, expected in stock.items():
        factor = 2.0 if name in ("alpha", "gamma") else 1.0
        assert np.abs(expected).max() > 1e-4
        np.testing.assert_allclose(
            prepared[name], factor * expected, rtol=1e-4, atol=1e-6
        )


@each_optimizer
def test_the_first_step_of_fast_weights_is_twice_as_large(name):
    if name in WITHOUT_STEPS:
        pytest.skip("It takes no steps.")
    optimizer = prepare_optimizer(OPTIMIZERS[name](), fast_weight_multiplier=2)
    # Muon's stock rule for matrices is not the one for members' vectors.
    stock = prepare_optimizer(OPTIMIZERS[name]())
    assert_doubled(steps(stock)[0], steps(optimizer)[0])


@pytest.mark.parametrize("name", [n for n in OPTIMIZERS if n != "muon"])
def test_with_multiplier_1_the_steps_are_those_of_the_stock_optimizer(name):
    stock = OPTIMIZERS[name]()
    stock.weight_decay = None
    prepared = OPTIMIZERS[name]()
    prepared.weight_decay = None
    prepared = steps(prepare_optimizer(prepared), 2)
    for one, two in zip(steps(stock, 2), prepared, strict=True):
        for weight in one:
            np.testing.assert_array_equal(one[weight], two[weight])


@pytest.mark.parametrize("name", WITHOUT_STEPS)
def test_those_without_steps_get_a_larger_learning_rate(name):
    slow, fast = OPTIMIZERS[name](), OPTIMIZERS[name]()
    fast.learning_rate = 2 * 0.01
    prepared = prepare_optimizer(OPTIMIZERS[name](), fast_weight_multiplier=2)
    slow, fast, prepared = steps(slow, 3), steps(fast, 3), steps(prepared, 3)
    for i, moved in enumerate(prepared):
        for weight, found in moved.items():
            stock = fast if weight in ("alpha", "gamma") else slow
            np.testing.assert_allclose(
                found, stock[i][weight], rtol=1e-5, atol=1e-6
            )


def test_sgd_with_momentum_over_three_steps():
    sgd = optimizers.SGD(0.1, momentum=0.9)
    found = steps(prepare_optimizer(sgd, fast_weight_multiplier=3.0), 3)
    layer = built_layer()
    velocity = {name: 0.0 for name in found[0]}
    for i, moved in enumerate(found):
        gradients = random_gradients(layer, seed=i)
        for name, gradient in gradients.items():
            velocity[name] = 0.9 * velocity[name] - 0.1 * np.float64(gradient)
            factor = 3.0 if name in ("alpha", "gamma") else 1.0
            np.testing.assert_allclose(
                moved[name], factor * velocity[name], rtol=1e-4, atol=1e-6
            )


@pytest.mark.parametrize("jit_compile", [False, True])
def test_it_works_in_fit(jit_compile):
    if jit_compile and BACKEND == "torch":
        pytest.skip("Another compiler, a slow one.")
    adam = prepare_optimizer("adam", fast_weight_multiplier=2.0)
    assert_doubled(
        model_step("adam"), model_step(adam, jit_compile=jit_compile)
    )


def test_it_works_with_mixed_precision_and_its_loss_scale():
    keras.config.set_dtype_policy("mixed_float16")
    adam = prepare_optimizer("adam", fast_weight_multiplier=2.0)
    model = members_model(adam)
    assert isinstance(model.optimizer, optimizers.LossScaleOptimizer)
    assert_doubled(model_step("adam"), model_step(made_again(adam)))


def made_again(adam):
    return type(adam).from_config(adam.get_config())


def test_the_optimizer_inside_a_loss_scale_optimizer_is_prepared():
    outer = optimizers.LossScaleOptimizer(optimizers.Adam())
    assert prepare_optimizer(outer, fast_weight_multiplier=2.0) is outer
    assert outer.inner_optimizer.fast_weight_multiplier == 2.0
    assert_doubled(model_step("adam"), model_step(outer))


def test_gradient_accumulation_multiplies_the_one_step():
    def make():
        return optimizers.Adam(0.01, gradient_accumulation_steps=2)

    stock = steps(make(), 2)
    prepared = prepare_optimizer(make(), fast_weight_multiplier=2.0)
    first, second = steps(prepared, 2)
    assert not any(moved.any() for moved in first.values())
    assert_doubled(stock[1], second)


@pytest.mark.parametrize(
    "clip", [{"clipnorm": 0.1}, {"global_clipnorm": 0.1}, {"clipvalue": 0.1}]
)
def test_clipping_comes_before_the_multiplication(clip):
    stock = optimizers.SGD(0.1, **clip)
    prepared = optimizers.SGD(0.1, **clip)
    prepared = prepare_optimizer(prepared, fast_weight_multiplier=2.0)
    assert_doubled(steps(stock)[0], steps(prepared)[0])


def test_averages_are_of_the_multiplied_weights():
    def make():
        return prepare_optimizer(
            optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5),
            fast_weight_multiplier=2.0,
        )

    layer, optimizer = built_layer(), make()
    plain = prepare_optimizer(optimizers.SGD(0.1), fast_weight_multiplier=2.0)
    start = to_numpy(layer.alpha)
    path = start + np.cumsum([s["alpha"] for s in steps(plain, 2)], axis=0)
    optimizer.build(layer.trainable_weights)
    for i in range(2):
        gradients = random_gradients(layer, seed=i).values()
        gradients = [keras.ops.convert_to_tensor(g) for g in gradients]
        optimizer.apply(gradients, layer.trainable_weights)
    np.testing.assert_allclose(to_numpy(layer.alpha), path[1], rtol=1e-5)
    optimizer.finalize_variable_values(layer.trainable_weights)
    np.testing.assert_allclose(
        to_numpy(layer.alpha), path.mean(axis=0), rtol=1e-5
    )


def test_a_learning_rate_may_change_and_is_kept():
    schedule = optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    prepared = optimizers.SGD(schedule)
    prepared = prepare_optimizer(prepared, fast_weight_multiplier=2.0)
    again = made_again(prepared)
    assert again.get_config() == prepared.get_config()
    for stock, found in zip(
        steps(optimizers.SGD(schedule), 2), steps(again, 2), strict=True
    ):
        assert_doubled(stock, found)
    adam = prepare_optimizer("adam")
    adam.learning_rate = 0.25
    assert float(to_numpy(made_again(adam).learning_rate)) == 0.25


@pytest.mark.skipif(BACKEND != "jax", reason="JAX alone has this.")
def test_it_works_without_state():
    adam = prepare_optimizer(optimizers.Adam(0.01), fast_weight_multiplier=2.0)
    layer = built_layer()
    adam.build(layer.trainable_weights)
    before = values(layer)
    new, _ = adam.stateless_apply(
        [variable.value for variable in adam.variables],
        [keras.ops.convert_to_tensor(g)
         for g in random_gradients(layer, seed=0).values()],
        [weight.value for weight in layer.trainable_weights],
    )  # fmt: skip
    names = [weight.name for weight in layer.trainable_weights]
    assert_doubled(
        steps(optimizers.Adam(0.01))[0],
        {k: to_numpy(v) - before[k] for k, v in zip(names, new, strict=True)},
    )
    np.testing.assert_array_equal(values(layer)["alpha"], before["alpha"])


REPLICAS = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
import keras, numpy as np
from tests import optimizers_test as t
def make():
    adam = keras.optimizers.AdamW(0.01, weight_decay=0.5)
    return t.prepare_optimizer(adam, fast_weight_multiplier=2.0)
expected = t.model_step(make())
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    found = t.model_step(make())
for name in expected:
    np.testing.assert_allclose(found[name], expected[name], atol=1e-5)
print("equal")
"""


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow alone has it.")
def test_two_replicas_take_the_steps_of_one():
    done = subprocess.run(
        [sys.executable, "-c", REPLICAS], capture_output=True, text=True
    )
    assert "equal" in done.stdout, done.stderr


def test_muon_takes_members_vectors_for_vectors():
    muon = optimizers.Muon(0.01, exclude_layers=["head"])
    muon = made_again(prepare_optimizer(muon))
    assert list(muon.exclude_layers)[0] == "head"
    assert len(muon.exclude_layers) == 2
    layer = built_layer()
    muon.build(layer.trainable_weights)
    is_vector = {
        weight.name: velocity is not None
        for weight, velocity in zip(
            layer.trainable_weights, muon.adam_velocities, strict=True
        )
    }
    assert is_vector == {
        "kernel": False,
        "bias": True,
        "alpha": True,
        "gamma": True,
        "member_bias": True,
    }


def named(name, value):
    return keras.Variable([[float(value)]], name=name)


@pytest.mark.parametrize("make", [optimizers.SGD, optimizers.AdamW])
def test_weight_decay_is_for_kernels(make):
    optimizer = prepare_optimizer(make(0.5, weight_decay=1.0))
    variables = [named("bias", 1), named("kernel", 2)]
    optimizer.build(variables)
    optimizer.apply([keras.ops.zeros((1, 1))] * 2, variables)
    # kernel - rate * decay * kernel = 2 - 0.5 * 1 * 2
    assert [to_numpy(v).item() for v in variables] == [1.0, 1.0]


def decayed(optimizer):
    """Which weights of a model change without a gradient."""
    inputs = keras.Input((3,), dtype="int32")
    x = keras.layers.Embedding(4, 4)(inputs)
    x = keras.layers.LayerNormalization()(x)
    members = BatchEnsembleDense(4, ensemble_size=2)
    model = keras.Model(inputs, keras.layers.Dense(2)(members(x)))
    members.enable_lora(2)
    before = [to_numpy(w) + 1.0 for w in model.weights]
    model.set_weights(before)
    variables = model.trainable_variables
    optimizer.build(variables)
    optimizer.apply([keras.ops.zeros(v.shape) for v in variables], variables)
    pairs = zip(model.weights, before, strict=True)
    return {w.name for w, old in pairs if (to_numpy(w) != old).any()}


def adamw():
    return optimizers.AdamW(0.5, weight_decay=1.0)


def test_weight_decay_leaves_members_biases_and_norms_alone():
    shared = {"embeddings", "kernel", "lora_kernel_a", "lora_kernel_b"}
    assert decayed(prepare_optimizer(adamw())) == shared
    assert decayed(adamw()) == shared | {
        "alpha", "gamma", "member_bias", "bias", "beta",
    }  # fmt: skip


def test_the_names_that_decay_can_be_given():
    prepared = prepare_optimizer(adamw(), decayed_names=["^bias$", "alpha"])
    assert decayed(prepared) == {"bias", "alpha"}
    assert decayed(prepare_optimizer(adamw(), decayed_names=[])) == set()
    typo = prepare_optimizer(adamw(), decayed_names=["kernel", "kernle"])
    with pytest.raises(ValueError, match="trainable variable: .*'kernle'"):
        decayed(typo)


def test_a_loaded_model_goes_on_as_the_saved_one(tmp_path):
    optimizer = optimizers.AdamW(0.01, weight_decay=0.5)
    model = members_model(
        prepare_optimizer(optimizer, fast_weight_multiplier=5.0)
    )
    model.train_on_batch(*batch())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, optimizers.AdamW)
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    for one in (model, loaded):
        for _ in range(2):
            one.train_on_batch(*batch())
    for a, b in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_allclose(to_numpy(a), to_numpy(b), atol=1e-7)


def test_a_model_with_a_loss_scale_loads(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    adam = prepare_optimizer("adam", fast_weight_multiplier=5.0)
    model = members_model(adam)
    model.train_on_batch(*batch())
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inner = loaded.optimizer.inner_optimizer
    assert inner.fast_weight_multiplier == 5.0
    assert to_numpy(inner.iterations) == 1


@each_optimizer
def test_its_config_makes_it_again(name):
    optimizer = prepare_optimizer(
        OPTIMIZERS[name](), fast_weight_multiplier=3.0, decayed_names=["a"]
    )
    config = optimizers.serialize(optimizer)
    again = optimizers.deserialize(copy.deepcopy(config))
    assert type(again) is type(optimizer)
    assert optimizers.serialize(again) == config
    assert again.fast_weight_multiplier == 3.0
    assert again.decayed_names == ("a",)
    assert optimizers.get(copy.deepcopy(config)).get_config() == (
        optimizer.get_config()
    )


@keras.saving.register_keras_serializable("keras_plex_tests")
class HalfSteps(optimizers.Optimizer):
    """An optimizer that a user wrote."""

    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, 0.5 * learning_rate * gradient)


def test_a_users_optimizer_can_be_prepared():
    prepared = prepare_optimizer(HalfSteps(0.1), fast_weight_multiplier=2.0)
    again = made_again(prepared)
    assert isinstance(again, HalfSteps)
    assert_doubled(steps(HalfSteps(0.1))[0], steps(again)[0])


def test_it_prepares_in_place_and_keeps_the_stock_class():
    adam = optimizers.Adam()
    assert prepare_optimizer(adam) is adam
    assert isinstance(adam, optimizers.Adam)
    # Another optimizer of the class is as it was.
    assert "Prepared" not in type(optimizers.Adam()).__name__


def raises(match, optimizer, **arguments):
    with pytest.raises(ValueError, match=match):
        prepare_optimizer(optimizer, **arguments)


@pytest.mark.parametrize("multiplier", [0, -1.0, "2", None, True, np.inf])
def test_a_multiplier_that_is_not_positive_raises(multiplier):
    raises(
        f"must be a positive number.*fast_weight_multiplier={multiplier!r}",
        "adam",
        fast_weight_multiplier=multiplier,
    )


@pytest.mark.parametrize("optimizer", [None, 3, keras.losses.MeanSquaredError])
def test_what_is_no_optimizer_raises(optimizer):
    raises("`optimizer` must be a Keras optimizer", optimizer)


def test_an_unknown_name_raises():
    raises("no_such_optimizer", "no_such_optimizer")


def test_a_built_optimizer_raises():
    adam = optimizers.Adam()
    adam.build(built_layer().trainable_weights)
    raises("is built already", adam)
    raises("is built already", optimizers.LossScaleOptimizer(adam))


def test_a_prepared_optimizer_raises():
    raises("is prepared already", prepare_optimizer("adam"))


def test_a_multi_optimizer_raises_and_its_parts_can_be_prepared():
    fast = prepare_optimizer(optimizers.SGD(0.1), fast_weight_multiplier=2.0)
    parts = optimizers.OptimizerMap(optimizers.SGD(0.1))
    parts[".*(alpha|gamma)"] = fast
    multi = optimizers.MultiOptimizer(parts)
    raises("`MultiOptimizer` consists of", multi)
    assert_doubled(steps(optimizers.SGD(0.1))[0], steps(multi)[0])


@pytest.mark.parametrize(
    "exclusion", [{"var_names": ["bias"]}, {"var_list": [named("bias", 1)]}]
)
def test_exclusions_raise_because_a_file_would_lose_them(exclusion):
    adam = optimizers.AdamW()
    adam.exclude_from_weight_decay(**exclusion)
    raises("forgets `exclude_from_weight_decay`", adam)
    prepared = prepare_optimizer("adamw")
    with pytest.raises(ValueError, match="decayed_names"):
        prepared.exclude_from_weight_decay(**exclusion)


def test_names_that_are_one_string_raise():
    raises("sequence of regular", "adam", decayed_names="kernel")
    raises(r"expression.*'\(': missing", "adam", decayed_names=["("])
    raises("expression.*None", "adam", decayed_names=[None])


def test_a_model_without_fast_weights_raises():
    dense = keras.layers.Dense(3)
    dense.build((None, 4))
    frozen = built_layer()
    frozen.alpha.trainable = frozen.gamma.trainable = False
    for layer in (dense, frozen):
        adam = prepare_optimizer("adam", fast_weight_multiplier=2.0)
        with pytest.raises(ValueError) as error:
            adam.build(layer.trainable_weights)
        count = len(layer.trainable_weights)
        assert f"none of the {count} trainable variables" in str(error.value)
        assert "fast_weight_multiplier=2.0" in str(error.value)
        prepare_optimizer("adam").build(layer.trainable_weights)


def test_a_copy_is_prepared_too():
    adam = prepare_optimizer("adam", fast_weight_multiplier=2.0)
    assert copy.deepcopy(adam).get_config() == adam.get_config()

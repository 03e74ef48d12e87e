"""KerasHub models train and forecast on two devices as on one."""

import pytest

from tests.two_devices import run_on_two_devices

# Without batch normalization, whose statistics are those of a device in the
# stock model, too.
FAMILIES = {
    "tensorflow": ("vit", "bert", "t5_classifier"),
    "jax": ("vit",),  # which compiles each operation of each model
}

SCRIPT = """
import keras
import numpy as np
import keras_plex
from keras_plex.models.device_batches import num_replicas
from tests import cases

def make_model(family):
    keras.utils.set_random_seed(0)
    model = keras_plex.plexify(
        cases.make_family(family), seed=0, **cases.family_arguments(family)
    )
    model.compile(
        keras.optimizers.SGD(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    return model

def numbers(model, x, y):
    history = model.fit(
        x, y, batch_size=16, epochs=2, shuffle=False, verbose=0
    ).history
    found = model.predict_uncertainty(x)
    report = keras_plex.evaluate(
        model,
        [keras_plex.tasks.InDistribution((x, y))],
        batch_size=7,
        resamples=0,
        verbose=0,
    )
    return {
        "loss": history["loss"],
        "probabilities": found.probabilities,
        "members": found.member_probabilities,
        "variance": found.variance,
        "nll": report["in_distribution"]["nll"].value,
    }

for family in sys.argv[2:]:
    model = make_model(family)
    assert num_replicas(model) == 1
    draw = cases.FAMILIES[family].make_inputs or cases.examples
    x = draw(model, 32)
    classes = model.output_shape[-1]
    y = np.random.default_rng(0).integers(0, classes, 32)
    expected = numbers(model, x, y)
    with make_scope():
        model = make_model(family)
        assert num_replicas(model) == 2
        found = numbers(model, x, y)
    assert expected["loss"][0] > expected["loss"][-1]
    for name, value in expected.items():
        np.testing.assert_allclose(
            found[name], value, rtol=1e-3, atol=1e-5, err_msg=family + name
        )
    print(family, "equal", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", FAMILIES)
def test_two_devices_are_as_one(backend):
    families = FAMILIES[backend]
    printed = run_on_two_devices(
        backend, SCRIPT, *families, JAX_DISABLE_MOST_OPTIMIZATIONS="1"
    )
    assert printed.count("equal") == len(families)

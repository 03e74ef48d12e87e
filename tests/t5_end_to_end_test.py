"""A small T5 learns intents from scratch, and what lies out of their scope.

The example is run on some intents of CLINC150; docs/t5.md has all of them.
"""

import keras
import numpy as np
import pytest

import keras_plex
from examples import t5_clinc150
from keras_plex.tasks.measurements import predict_data

pytestmark = pytest.mark.slow

EVERY = 10  # of 150 intents
BATCH_SIZE, EPOCHS, FURTHER_EPOCHS = 32, 12, 3


@pytest.fixture(autouse=True)
def keras_state():
    """Nothing: seeding TensorFlow or clearing Keras ends SentencePiece."""


@pytest.fixture(scope="module")
def data(shared_data):
    path = shared_data / "text" / "clinc150" / "data_full.json"
    if not path.is_file():
        pytest.skip(f"Needs CLINC150: there is no file {path}.")
    return some_intents(t5_clinc150.load_clinc150(str(path)))


def some_intents(data):
    """Every tenth intent, numbered anew, and every fourth other query."""

    def some(texts, labels):
        is_kept = labels % EVERY == 0
        return list(np.array(texts)[is_kept]), labels[is_kept] // EVERY

    return t5_clinc150.Intents(
        train=some(*data.train),
        validation=some(*data.validation),
        test=some(*data.test),
        out_of_scope=data.out_of_scope[::4],
        num_classes=data.num_classes // EVERY,
    )


@pytest.fixture(scope="module")
def stock(data):
    keras.utils.set_random_seed(0)
    model = t5_clinc150.make_classifier(
        data.train[0],
        data.num_classes,
        vocabulary_size=600,
        num_layers=1,
        hidden_dim=64,
    )
    t5_clinc150.train(model, data, 1e-2, EPOCHS, BATCH_SIZE)
    return model


@pytest.fixture(scope="module")
def results(stock, data):
    """Models trained further from the same weights, with their numbers."""
    weights, found = stock.get_weights(), {}
    for name in ("plexify", "T5-Plex recipe", "stock"):
        stock.set_weights(weights)
        model = stock
        if name != "stock":
            arguments = {"last_blocks": 1, **(t5_clinc150.VARIANTS[name] or {})}
            model = keras_plex.plexify(stock, seed=0, **arguments)
        t5_clinc150.train(model, data, 3e-3, FURTHER_EPOCHS, BATCH_SIZE)
        found[name] = model, t5_clinc150.measure(model, data)
        print(name, found[name][1])
    return found


def test_the_vocabulary_is_that_of_the_training_queries(stock, data):
    tokenizer = stock.preprocessor.tokenizer
    tokens = np.asarray(stock.preprocessor(data.train[0])["encoder_token_ids"])
    assert tokenizer.vocabulary_size() == 600
    assert (tokens == 2).mean() < 0.001  # unknown pieces


def test_each_model_learns_the_intents(results):
    for name, (_, numbers) in results.items():
        assert numbers["accuracy"] > 0.8, name


def test_plex_is_as_well_calibrated_as_stock(results):
    stock, plex = results["stock"][1], results["plexify"][1]
    assert plex["ece"] < stock["ece"] + 0.02
    assert plex["nll"] < stock["nll"] + 0.05


def test_plex_tells_queries_out_of_scope_as_well_as_stock(results):
    stock, plex = results["stock"][1], results["plexify"][1]
    assert plex["msp"] > stock["msp"] - 0.02
    assert plex["variance"] > 0.7


def test_members_differ_and_strings_come_in(results):
    model, _ = results["plexify"]
    found, _ = predict_data(model, np.array(["what is my bank balance"]))
    assert found.member_probabilities.shape == (1, 3, 15)
    assert np.ptp(found.member_probabilities, axis=1).max() > 0

"""Sets hold the label as often as promised, on drawn and on real data."""

import json

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_plex.calibration import ConformalSets
from keras_plex.calibration.conformal_scores import CONFORMAL_SCORES
from keras_plex.calibration.conformal_sets import PENALTIES
from keras_plex.calibration.conformal_sets import check_enough

RNG = np.random.default_rng(0)
P = RNG.dirichlet(0.5 * np.ones(6), size=999).astype("float32")
LABELS = np.array(
    [RNG.choice(6, p=np.float64(p) / p.sum(dtype="d")) for p in P]
)
ALPHAS = (0.02, 0.1, 0.3)


def hits(sets, labels):
    return sets[np.arange(len(labels)), labels]


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("method", CONFORMAL_SCORES)
def test_fitted_examples_are_covered_as_often_as_counted(method, alpha):
    sets = ConformalSets(alpha, method, **raps_numbers(method))
    sets.fit(P, LABELS)
    held = hits(sets(P), LABELS).sum()
    assert held >= np.ceil(1000 * (1 - alpha) - 1e-9)
    if method == "lac":
        assert held == np.ceil(1000 * (1 - alpha) - 1e-9)
    assert sets.num_examples == 999


def raps_numbers(method):
    return {"penalty": 0.05, "rank": 2} if method == "raps" else {}


@pytest.mark.parametrize("method", CONFORMAL_SCORES)
def test_members_of_sets_have_scores_up_to_the_quantile(method):
    sets = ConformalSets(0.1, method, **raps_numbers(method)).fit(P, LABELS)
    score = CONFORMAL_SCORES[method]
    scores = 1 + ops.convert_to_numpy(
        score(ops.convert_to_tensor(P), sets.fitted["penalty"], 2)
    ).astype("float64")
    found = sets(P)
    clear = np.abs(scores - sets.quantile) > 1e-4
    np.testing.assert_array_equal(
        found[clear], (scores <= sets.quantile)[clear]
    )
    assert clear.mean() > 0.99
    if method != "lac":
        assert found.any(axis=-1).all()


def test_lac_is_that_of_mapie():
    mapie = pytest.importorskip("mapie.classification")
    for alpha in ALPHAS:
        oracle = mapie.SplitConformalClassifier(
            prefit(), confidence_level=1 - alpha, conformity_score="lac"
        )
        oracle.conformalize(P[:500], LABELS[:500])
        expected = oracle.predict_set(P[500:])[1][..., 0]
        sets = ConformalSets(alpha).fit(P[:500], LABELS[:500])
        np.testing.assert_array_equal(sets(P[500:]), expected)


def prefit():
    from sklearn.base import BaseEstimator
    from sklearn.base import ClassifierMixin

    class Prefit(ClassifierMixin, BaseEstimator):
        classes_ = np.arange(6)

        def fit(self, x, y):
            return self

        def predict(self, x):
            return x.argmax(axis=-1)

        def predict_proba(self, x):
            return x

        def __sklearn_is_fitted__(self):
            return True

    return Prefit()


@pytest.mark.parametrize("method", ["aps", "raps"])
@pytest.mark.parametrize("alpha", ALPHAS)
def test_sets_end_where_those_of_mapie_end(method, alpha):
    # MAPIE draws random numbers to calibrate, so the quantile is ours; the
    # sets of a quantile have no randomness.
    scores = pytest.importorskip("mapie.conformity_scores")
    numbers = raps_numbers(method)
    sets = ConformalSets(alpha, method, **numbers).fit(P, LABELS)
    oracle = scores.APSConformityScore()
    if method == "raps":
        # MAPIE adds the class that exceeds the quantile: the place before
        # ours decides, which is one less.
        oracle = scores.RAPSConformityScore()
        oracle.lambda_star = np.array([[numbers["penalty"]]])
        oracle.k_star = np.array([[numbers["rank"] - 1]])
    oracle.quantiles_ = np.array([sets.quantile + 1e-6])
    expected = oracle.get_prediction_sets(
        P.astype("float64")[..., None],
        None,
        np.array([alpha]),
        "prefit",
        include_last_label=True,
    )
    np.testing.assert_array_equal(sets(P), expected[..., 0])


def test_raps_chooses_small_sets_on_examples_that_it_leaves_out():
    # Half of the rows are sure, half are not.
    sharpness = np.where(np.arange(2000) % 2, 1.0, 4.0)[:, None]
    logits = sharpness * RNG.normal(size=(2000, 20))
    labels = np.argmax(logits + RNG.gumbel(size=logits.shape), axis=-1)
    flat = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    chosen = ConformalSets(0.2, "raps", seed=3).fit(flat, labels)
    assert chosen.num_examples == 1600
    part = np.random.default_rng(3).permutation(2000)[:400]
    part = np.sort(part)
    rank = chosen.fitted["rank"]

    def size(penalty):
        sets = ConformalSets(0.2, "raps", penalty=penalty, rank=rank)
        return sets.fit(flat[part], labels[part])(flat[part]).sum(-1).mean()

    sizes = {penalty: size(penalty) for penalty in PENALTIES}
    assert len(set(sizes.values())) > 1
    assert size(chosen.fitted["penalty"]) == min(sizes.values())
    again = ConformalSets(0.2, "raps", seed=3).fit(flat, labels)
    assert again.fitted == chosen.fitted
    other = ConformalSets(0.2, "raps", seed=4).fit(flat, labels)
    assert other.fitted["threshold"] != chosen.fitted["threshold"]


def test_rounding_puts_no_class_out():
    for method in CONFORMAL_SCORES:
        sets = ConformalSets(0.1, method, **raps_numbers(method)).fit(P, LABELS)
        least = np.ceil(1000 * 0.9)
        for seed in range(5):
            noise = np.random.default_rng(seed).normal(size=P.shape)
            rounded = (P * (1 + 1e-6 * noise)).astype("float32")
            assert hits(sets(rounded), LABELS).sum() >= least


def test_graph_tensor_and_file_say_the_same():
    for method in CONFORMAL_SCORES:
        sets = ConformalSets(0.1, method, **raps_numbers(method)).fit(P, LABELS)
        expected = sets(P)
        assert expected.dtype == bool
        tensor = ops.convert_to_tensor(P)
        found = ops.convert_to_numpy(sets(tensor))
        np.testing.assert_array_equal(found, expected)
        inputs = keras.Input((6,))
        model = keras.Model(inputs, keras.layers.Lambda(sets)(inputs))
        found = model.predict(P, batch_size=100, verbose=0)
        np.testing.assert_array_equal(found, expected)
        config = json.loads(json.dumps(sets.get_config()))
        twin = ConformalSets.from_config(config)
        np.testing.assert_array_equal(twin(P), expected)
        assert twin.quantile == sets.quantile


@pytest.mark.parametrize("alpha, least", [(0.1, 9), (0.05, 19), (0.01, 99)])
def test_promise_needs_so_many_examples(alpha, least):
    check_enough(least, alpha)
    message = f"needs at least {least} examples. Received: {least - 1}"
    with pytest.raises(ValueError, match=message):
        check_enough(least - 1, alpha)
    ConformalSets(alpha).fit(P[:least], LABELS[:least])


def test_faults_are_named():
    for alpha in (0, 1, -0.1, float("nan")):
        with pytest.raises(ValueError, match="`alpha` must lie between"):
            ConformalSets(alpha)
    with pytest.raises(ValueError, match="Unknown conformal method: 'tps'"):
        ConformalSets(method="tps")
    with pytest.raises(ValueError, match='are those of "raps"'):
        ConformalSets(penalty=0.1)
    with pytest.raises(ValueError, match="both `penalty` and `rank`"):
        ConformalSets(method="raps", rank=2)
    nan, infinity = float("nan"), float("inf")
    for penalty, rank in (
        (-1.0, 2),
        (nan, 2),
        (infinity, 2),
        (0.1, -1),
        (0.1, 1.5),
    ):
        with pytest.raises(ValueError, match="both at least 0"):
            ConformalSets(method="raps", penalty=penalty, rank=rank)
    with pytest.raises(ValueError, match="not fitted"):
        ConformalSets()(P)
    with pytest.raises(ValueError, match="one label per example.*soft"):
        ConformalSets().fit(P, P / P.sum(-1, keepdims=True))
    with pytest.raises(ValueError, match="two classes or more"):
        ConformalSets().fit(P[:, 0], LABELS)
    with pytest.raises(ValueError, match="besides 2 to choose from"):
        ConformalSets(method="raps").fit(P[:10], LABELS[:10])


def real_forecasts(shared_data, name):
    path = shared_data / "model_outputs" / f"{name}_test_probs.npz"
    if not path.is_file():
        pytest.skip(f"Needs the forecasts of a real network: no {path}.")
    with np.load(path) as data:
        probabilities, labels = data["probs"], data["labels"]
    if probabilities.ndim == 1:
        probabilities = np.stack([1 - probabilities, probabilities], axis=-1)
    return probabilities, labels


@pytest.mark.parametrize("name", ["cifar10", "imdb"])
@pytest.mark.parametrize("method", CONFORMAL_SCORES)
def test_held_out_examples_of_real_networks_are_covered(
    shared_data, name, method
):
    probabilities, labels = real_forecasts(shared_data, name)
    half = len(labels) // 2
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(labels))
        ours, theirs = order[:half], order[half:]
        for alpha in ALPHAS:
            sets = ConformalSets(alpha, method).fit(
                probabilities[ours], labels[ours]
            )
            held = hits(sets(probabilities[theirs]), labels[theirs]).sum()
            # Given the quantile the coverage is beta, the count so mixed.
            count = sets.num_examples
            below = int(np.ceil((count + 1) * (1 - alpha) - 1e-9))
            law = stats.betabinom(len(theirs), below, count + 1 - below)
            assert held >= law.ppf(1e-4), (seed, alpha)
            if method == "lac":
                assert held <= law.ppf(1 - 1e-4), (seed, alpha)


def test_raps_of_a_handful_of_examples_has_one_to_choose_from():
    sets = ConformalSets(0.5, "raps").fit(P[:4], LABELS[:4])
    assert sets.num_examples == 3
    with pytest.raises(ValueError, match="besides 1 to choose from"):
        ConformalSets(0.2, "raps").fit(P[:4], LABELS[:4])

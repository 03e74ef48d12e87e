"""The exact family: published numbers, brute force, the streaming metrics."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_plex.metrics import calibration_error

TWO = [[0.2, 0.8], [0.3, 0.7]]
TIED = [[0.35, 0.35, 0.30], [0.80, 0.15, 0.05]]
SIX = np.array(
    [
        [0.31, 0.32, 0.27, 0.10],
        [0.37, 0.33, 0.30, 0.00],
        [0.30, 0.31, 0.39, 0.00],
        [0.61, 0.38, 0.01, 0.00],
        [0.10, 0.65, 0.25, 0.00],
        [0.91, 0.05, 0.04, 0.00],
    ]
)
FIVE = np.array(
    [
        [0.42610548, 0.41748077, 0.15641374],
        [0.44766216, 0.47721294, 0.0751249],
        [0.1862702, 0.15139402, 0.66233578],
        [0.05753544, 0.8561222, 0.08634236],
        [0.18697925, 0.29836466, 0.51465609],
    ]
)
BINARY = np.array([0.91, 0.32, 0.66, 0.67, 0.57, 0.98, 0.41, 0.19])
OTHER_BINARY = np.array([0.51, 0.45, 0.39, 0.66, 0.68, 0.29, 0.81, 0.85])

# Labels, probabilities, options, and what others publish.
PUBLISHED = [
    ([1, 0], TWO, {}, 0.45),
    ([1, 0], TWO, {"norm": 2}, 0.5147815),
    ([2, 1], TIED, {}, 0.575),
    ([2, 1], TIED, {"norm": 2}, 0.6174544),
    ([1, 0, 0, 1, 0, 0], SIX, {"num_bins": 10}, 0.378333),
    (
        [1, 0, 0, 1, 0, 0],
        SIX,
        {"norm": 2, "bins": "adaptive", "num_bins": 6},
        0.549864,
    ),
    ([0, 1, 2, 1, 2], FIVE, {"num_bins": 30}, 0.412713502),
    ([1, 0, 1, 1, 0, 1, 0, 0], BINARY, {"num_bins": 30}, 0.18125),
    ([0, 0, 0, 1, 0, 1, 1, 1], OTHER_BINARY, {"num_bins": 10}, 0.145),
    (
        [0, 0, 0, 1, 0, 1, 1, 1],
        OTHER_BINARY,
        {
            "num_bins": 10,
            "score": [0.05, 0.11, 0.37, 0.52, 0.26, 0.47, 0.73, 0.23],
        },
        0.39,
    ),
]


@pytest.mark.parametrize("labels, probabilities, options, expected", PUBLISHED)
def test_published_numbers(labels, probabilities, options, expected):
    value = calibration_error(labels, probabilities, **options)
    assert value == pytest.approx(expected, abs=1e-6)


def sweep(labels, probabilities):
    """As many bins of equal size as there are before one falls, by hand."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    order = np.argsort(confidence)
    confidence, right = confidence[order], right[order]
    size, value = len(order), None
    for number in [n for n in range(1, size + 1) if size % n == 0]:
        parts = np.split(np.arange(size), number)
        heights = [right[part].mean() for part in parts]
        if (np.diff(heights) < 0).any():
            return value
        gaps = [abs(right[p].mean() - confidence[p].mean()) for p in parts]
        value = np.mean(gaps)
    return value


def test_monotonic_bins_end_before_a_frequency_falls():
    confidence = np.array([0.55, 0.65, 0.75, 0.85])
    probabilities = np.stack([1 - confidence, confidence], axis=1)
    labels = np.array([0, 1, 0, 1])  # right: no, yes, no, yes
    # Two bins have frequencies 1/2, 1/2; three have 1/4, 1/2, 3/4; four fall.
    halves = calibration_error(labels, probabilities, bins="monotonic")
    thirds = calibration_error(
        labels, probabilities, bins="adaptive", num_bins=3
    )
    assert halves == pytest.approx(thirds)
    assert sweep(labels, probabilities) == pytest.approx(
        calibration_error(labels, probabilities, bins="adaptive", num_bins=2)
    )


def test_monotonic_bins_of_a_perfect_order_are_the_values():
    confidence = np.array([0.6, 0.7, 0.8, 0.9])
    probabilities = np.stack([1 - confidence, confidence], axis=1)
    value = calibration_error([0, 0, 1, 1], probabilities, bins="monotonic")
    assert value == pytest.approx(np.mean([0.6, 0.7, 0.2, 0.1]))


@given(seed=st.integers(0, 999), norm=st.sampled_from([1, 2, 3.5, math.inf]))
def test_the_norms_grow(seed, norm):
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(3), 40)
    labels = generator.integers(3, size=40)
    options = {"top_label": False, "classwise": True, "num_bins": 5}
    mean = calibration_error(labels, probabilities, **options)
    value = calibration_error(labels, probabilities, norm=norm, **options)
    largest = calibration_error(labels, probabilities, norm=math.inf, **options)
    assert mean - 1e-12 <= value <= largest + 1e-12


def test_classwise_top_labels_are_binned_by_predicted_class():
    # Both sure at 0.8; class 0 is right, class 1 wrong: apart they are off.
    probabilities = [[0.8, 0.2], [0.2, 0.8]]
    together = calibration_error([0, 0], probabilities)
    apart = calibration_error([0, 0], probabilities, classwise=True)
    assert together == pytest.approx(abs(0.5 - 0.8))
    assert apart == pytest.approx((0.2 + 0.8) / 2)


def test_all_classes_may_share_their_bins():
    value = calibration_error([0], [[0.8, 0.2]], top_label=False, num_bins=1)
    assert value == pytest.approx(0.0)  # mean 0.5, frequency 0.5


def test_an_integer_weight_repeats_an_example():
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(3), 20)
    labels, counts = generator.integers(3, size=20), np.arange(20) % 3
    rows = np.repeat(np.arange(20), counts)
    for bins in ("even", "adaptive", "monotonic"):
        weighted = calibration_error(
            labels, probabilities, bins=bins, sample_weight=counts
        )
        repeated = calibration_error(
            labels[rows], probabilities[rows], bins=bins
        )
        assert weighted == pytest.approx(repeated, abs=1e-12)


def test_members_are_averaged_first():
    members = np.array([[[1.0, 0.0], [0.6, 0.4]]])
    assert calibration_error([0], members) == pytest.approx(0.2)


def test_a_threshold_that_nothing_reaches_leaves_nothing():
    assert np.isnan(calibration_error([0], [[0.5, 0.5]], threshold=0.9))


@pytest.mark.parametrize("norm", [0, 0.5, "1", True, math.nan])
def test_norm_must_be_at_least_one(norm):
    with pytest.raises(ValueError, match="`norm` must be a number of at least"):
        calibration_error([0], [[0.5, 0.5]], norm=norm)


def test_an_unknown_kind_of_bins_lists_those_there_are():
    with pytest.raises(ValueError, match="Unknown kind of bins.*'monotonic'"):
        calibration_error([0], [[0.5, 0.5]], bins="odd")


@pytest.mark.parametrize("bins", ["even", "adaptive"])
def test_a_score_that_is_the_confidence_changes_nothing(bins):
    probabilities = np.array(FIVE)
    labels, options = [0, 1, 2, 1, 2], {"bins": bins, "num_bins": 3}
    value = calibration_error(labels, probabilities, **options)
    score = probabilities.max(axis=1)
    assert value == calibration_error(
        labels, probabilities, score=score, **options
    )


@pytest.mark.parametrize("score", [[0.5], [0.5, 1.5], [0.5, math.nan]])
def test_a_score_must_be_a_number_in_the_unit_interval_per_example(score):
    with pytest.raises(ValueError, match="one number in .* per example"):
        calibration_error([1, 0], TWO, score=score)


def test_a_score_is_for_the_top_label_alone():
    with pytest.raises(ValueError, match="`top_label=True, classwise=False`"):
        calibration_error([1, 0], TWO, score=[0.1, 0.2], top_label=False)


def test_monotonic_bins_take_no_number():
    with pytest.raises(ValueError, match="Leave `num_bins` out. Received"):
        calibration_error([0], [[0.5, 0.5]], bins="monotonic", num_bins=5)


def test_a_score_of_integers_is_that_of_floats():
    labels = np.array([1, 1, 0, 0])
    confidence = np.array([0.6, 0.7, 0.8, 0.9])
    forecast = np.stack([1 - confidence, confidence], axis=-1)
    score = np.array([0, 0, 1, 1])
    # The gaps of the two bins are 0.35 and 0.85.
    for dtype in ("int64", "uint8", "bool", "float32"):
        found = calibration_error(labels, forecast, score=score.astype(dtype))
        assert found == pytest.approx(0.6)

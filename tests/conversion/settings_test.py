"""Arguments that cannot be are refused before anything happens."""

import dataclasses

import pytest

from keras_plex.conversion.settings import Settings

NAN, INFINITY = float("nan"), float("inf")

MESSAGES = [
    ({"ensemble_size": 0}, r"`ensemble_size` must be a positive.*=0"),
    ({"ensemble_size": -1}, "`ensemble_size` must be a positive.*=-1"),
    ({"ensemble_size": 2.0}, r"`ensemble_size` must be a positive.*=2\.0"),
    ({"ensemble_size": True}, "`ensemble_size` must be a positive.*=True"),
    ({"ensemble_size": "3"}, "`ensemble_size` must be a positive.*='3'"),
    ({"ensemble_size": None}, "`ensemble_size` must be a positive.*=None"),
    ({"last_blocks": 0}, '`last_blocks` must be .* or "all".*=0'),
    ({"last_blocks": -2}, "`last_blocks` must be.*=-2"),
    ({"last_blocks": 1.0}, r"`last_blocks` must be.*=1\.0"),
    ({"last_blocks": True}, "`last_blocks` must be.*=True"),
    ({"last_blocks": "ALL"}, "`last_blocks` must be.*='ALL'"),
    ({"last_blocks": None}, "`last_blocks` must be.*=None"),
    ({"ensemble_attention": 1}, "`ensemble_attention` must be True or.*=1"),
    ({"ensemble_attention": None}, "`ensemble_attention` must be.*=None"),
    ({"method": "dropout"}, "Unknown method: 'dropout'.*'batch_ensemble'"),
    ({"method": None}, "Unknown method: None.*'batch_ensemble'"),
    (
        {"head": "svm"},
        "Unknown head: 'svm'. Available: 'gp', 'batch_ensemble', 'keep'",
    ),
    ({"head": 3}, "Unknown head: 3.*'keep'"),
    ({"head": ["gp"]}, "Unknown head: .*'gp'.*'keep'"),
    ({"head_options": [1]}, r"`head_options` must be a dict.*=\[1\]"),
    (
        {"head_options": {"depth": 1}},
        "head 'gp' has no option 'depth'.*num_features.*length_scale",
    ),
    ({"head_options": {"units": 3}}, "head 'gp' has no option 'units'"),
    ({"head_options": {"num_features": 0}}, "`num_features` must be.*=0"),
    ({"head_options": {"seed": "x"}}, "`seed` must be.*'x'"),
    ({"head_options": {"momentum": 2}}, "`momentum`.*=2"),
    ({"head_options": {"kernel": "cubic"}}, "Unknown kernel.*'rbf'"),
    (
        {"head": "keep", "head_options": {"num_features": 8}},
        "head 'keep' has no option 'num_features'. Its options: none",
    ),
    (
        {"head": "batch_ensemble", "head_options": {"seed": 8}},
        "head 'batch_ensemble' has no option 'seed'. Its options: none",
    ),
    ({"fast_weight_stddev": -0.1}, r"`fast_weight_stddev` must be.*=-0\.1"),
    ({"fast_weight_stddev": NAN}, "`fast_weight_stddev` must be.*=nan"),
    ({"fast_weight_stddev": INFINITY}, "`fast_weight_stddev` must be.*=inf"),
    ({"fast_weight_stddev": "0.5"}, r"`fast_weight_stddev` must be.*='0\.5'"),
    ({"fast_weight_stddev": None}, "`fast_weight_stddev` must be.*=None"),
    ({"fast_weight_stddev": True}, "`fast_weight_stddev` must be.*=True"),
    ({"seed": -1}, "`seed` must be `None` or a non-negative.*=-1"),
    ({"seed": True}, "`seed` must be `None` or a non-negative.*=True"),
    ({"seed": 1.5}, r"`seed` must be `None` or a non-negative.*=1\.5"),
    ({"seed": "0"}, "`seed` must be `None` or a non-negative.*='0'"),
    ({"layers": "dense"}, "`layers` must be a non-empty list.*='dense'"),
    ({"layers": []}, r"`layers` must be a non-empty list.*=\[\]"),
    ({"layers": [1]}, r"`layers` must be a non-empty list.*=\[1\]"),
    ({"layers": {"a": 1}}, "`layers` must be a non-empty list"),
    ({"layers": ["a("]}, r"regular expression.*'a\('"),
    (
        {"layers": ["a"], "last_blocks": 3},
        "`layers` chooses the layers itself: leave `last_blocks` out.*=3",
    ),
    (
        {"layers": ["a"], "ensemble_attention": False},
        "`layers` chooses the layers itself: leave `ensemble_attention` out",
    ),
]


@pytest.mark.parametrize(
    "arguments, message", MESSAGES, ids=[str(m[0]) for m in MESSAGES]
)
def test_the_message_says_what_must_hold_and_what_came(arguments, message):
    with pytest.raises(ValueError, match=message):
        Settings(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"ensemble_size": 1},
        {"last_blocks": "all"},
        {"fast_weight_stddev": 0},
        {"head": "keep", "head_options": {}},
        {"head": "gp", "head_options": {"num_features": 8, "seed": 0}},
        {"layers": ("a|b", "^c$")},
        {"seed": 0},
        {"seed": 2**31},
    ],
)
def test_what_can_be_is_kept_as_it_came(arguments):
    kept = dataclasses.asdict(Settings(**arguments))
    assert {name: kept[name] for name in arguments} == arguments


def test_settings_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().seed = 3

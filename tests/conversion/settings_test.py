"""Arguments that cannot be are refused before anything happens."""

import dataclasses

import keras
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
    ({"last_blocks": 0}, "makes no members: .*`ensemble_size=1`.*=3"),
    (
        {"last_blocks": 0, "ensemble_size": 1, "head": "keep"},
        "converts the output layer alone.*head='keep'",
    ),
    (
        {"last_blocks": 0, "ensemble_size": 1, "fast_weight_stddev": 0.1},
        "leave `ensemble_attention` and `fast_weight_stddev` out.*=0.1",
    ),
    (
        {"last_blocks": 0, "ensemble_size": 1, "ensemble_attention": False},
        "leave `ensemble_attention` and .*ensemble_attention=False",
    ),
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
        {"method_options": {"rank": 2}},
        "method 'batch_ensemble' has no option 'rank'",
    ),
    (
        {"method": "lora_ensemble", "method_options": {"rank": 0}},
        "`rank` must be a positive integer.*=0",
    ),
    (
        {"method": "lora_ensemble", "fast_weight_stddev": 0.1},
        r"'lora_ensemble' has no fast weights.*=0\.1",
    ),
    (
        {
            "method_options": {"fast_weight_initializer": "ones"},
            "fast_weight_stddev": 0.0,
        },
        "`fast_weight_initializer` says where the members start: leave",
    ),
    (
        {"last_blocks": 0, "ensemble_size": 1, "method": "lora_ensemble"},
        "leave `method` and `method_options` out.*'lora_ensemble'",
    ),
    (
        {"head": "svm"},
        "Unknown head: 'svm'. Available: 'gp', .*'laplace', .*'keep'",
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
        {"method_options": {"fast_weight_initializer": "random_normal"}},
        {"method_options": {}},
        {
            "method": "lora_ensemble",
            "method_options": {"rank": 8, "alpha": 16},
            "fast_weight_stddev": 0.0,
        },
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


# What is filled in.


def test_a_gp_head_and_members_of_0_1_are_the_default():
    filled = Settings().with_defaults()
    assert (filled.head, filled.fast_weight_stddev) == ("gp", 0.1)
    assert filled.makes_members


def test_a_laplace_head_makes_no_members_by_itself():
    filled = Settings(head="laplace").with_defaults()
    assert (filled.last_blocks, filled.fast_weight_stddev) == (0, 0.0)
    assert not filled.makes_members
    # What was filled in can be read back from a file.
    again = Settings(**dataclasses.asdict(filled))
    assert again.with_defaults() == filled


def test_a_laplace_head_makes_members_that_are_asked_for():
    asked = Settings(head="laplace", fast_weight_stddev=0.5, last_blocks=1)
    assert asked.with_defaults() == asked


@pytest.mark.parametrize(
    "arguments",
    [{"last_blocks": 1}, {"layers": ["a"]}, {"ensemble_attention": False}],
)
def test_a_laplace_head_ignores_no_choice_of_layers(arguments):
    asked = Settings(head="laplace", **arguments)
    with pytest.raises(ValueError, match="pass `fast_weight_stddev`"):
        asked.with_defaults()


def test_the_output_layer_alone_has_one_member():
    filled = Settings(ensemble_size=1, last_blocks=0).with_defaults()
    assert (filled.head, filled.fast_weight_stddev) == ("gp", 0.0)
    assert not filled.makes_members


FILLED = [
    ({}, 2, 0.1),
    ({"method": "lora_ensemble"}, 2, 0.0),
    ({"method": "lora_ensemble", "head": "laplace"}, 2, 0.0),
    (
        {"method_options": {"fast_weight_initializer": "random_normal"}},
        2,
        None,
    ),
    (
        {
            "method_options": {"fast_weight_initializer": "random_normal"},
            "head": "laplace",
        },
        2,
        None,
    ),
    ({"head": "laplace"}, 0, 0.0),
]


@pytest.mark.parametrize("arguments, last_blocks, stddev", FILLED)
def test_a_method_says_where_its_members_start(arguments, last_blocks, stddev):
    filled = Settings(**arguments).with_defaults()
    assert (filled.last_blocks, filled.fast_weight_stddev) == (
        last_blocks,
        stddev,
    )
    # As a file has them.
    assert Settings(**dataclasses.asdict(filled)).with_defaults() == filled


def test_an_initializer_is_kept_as_a_configuration():
    initializer = keras.initializers.RandomNormal(1.0, 0.3)
    settings = Settings(method_options={"fast_weight_initializer": initializer})
    kept = settings.method_options["fast_weight_initializer"]
    assert kept == keras.initializers.serialize(initializer)


def test_some_layers_are_converted_only_where_they_are_named():
    named = set(Settings(layers=["a"]).convertible_classes)
    default = set(Settings().convertible_classes)
    assert default == {keras.layers.Dense, keras.layers.EinsumDense}
    assert named - default == {keras.layers.Conv2D, keras.layers.Embedding}
    lora = Settings(method="lora_ensemble", layers=["a"])
    assert set(lora.convertible_classes) == default

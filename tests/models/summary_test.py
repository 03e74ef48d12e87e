"""The summary names every converted layer and counts what it added."""

import keras
import pytest

import keras_plex


def make_mlp():
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu", name="first"),
            keras.layers.Dense(8, "relu", name="second", use_bias=False),
            keras.layers.Dense(3, name="last"),
        ]
    )


def make_vit():
    keras_hub = pytest.importorskip("keras_hub")
    backbone = keras_hub.models.ViTBackbone(
        image_shape=(8, 8, 1),
        patch_size=4,
        num_layers=3,
        num_heads=2,
        hidden_dim=8,
        mlp_dim=8,
    )
    return keras_hub.models.ViTImageClassifier(backbone, num_classes=3)


def summary_lines(model, *args, **kwargs):
    lines = []
    model.summary(*args, print_fn=lambda text: lines.append(text), **kwargs)
    return "\n".join(lines).splitlines()


def converted_rows(lines):
    """`{path: (class, weights added)}` of the lines below the summary."""
    (start,) = [i for i, line in enumerate(lines) if "Converted by" in line]
    rows = [line.split() for line in lines[start + 1 :] if line.strip()]
    return {
        path: (name, int(count.replace(",", ""))) for path, name, count in rows
    }


@pytest.mark.parametrize(
    "make_stock, head",
    [
        (make_mlp, "gp"),
        (make_mlp, "keep"),
        (make_mlp, "batch_ensemble"),
        (make_vit, "gp"),
    ],
)
def test_added_weights_sum_to_the_difference(make_stock, head):
    stock = make_stock()
    model = keras_plex.plexify(stock, head=head)
    rows = converted_rows(summary_lines(model))
    added = sum(count for _, count in rows.values())
    assert added == model.count_params() - stock.count_params()
    converted = {layer.path for layer in model.conversion.converted}
    assert set(rows) == converted


def test_kernel_that_a_zero_mean_gp_drops_is_not_subtracted():
    stock = make_mlp()
    options = {"mean_function": "zero", "num_features": 8}
    model = keras_plex.plexify(stock, head="gp", head_options=options)
    rows = converted_rows(summary_lines(model))
    added = sum(count for _, count in rows.values())
    dropped = 8 * 3  # the kernel of the last layer
    assert added - dropped == model.count_params() - stock.count_params()


def test_each_layer_is_named_with_its_class():
    model = keras_plex.plexify(make_mlp(), head="gp", last_blocks=1)
    rows = converted_rows(summary_lines(model))
    assert {path.split("/")[-1]: name for path, (name, _) in rows.items()} == {
        "second": "BatchEnsembleDense",
        "last": "RandomFeatureGP",
    }


def test_counts_are_what_the_formulas_say():
    model = keras_plex.plexify(make_mlp(), head="batch_ensemble")
    rows = converted_rows(summary_lines(model))
    counts = {path.split("/")[-1]: count for path, (_, count) in rows.items()}
    # 3 members, each with alpha (inputs), gamma (outputs) and a bias if any.
    assert counts == {
        "first": 3 * (4 + 8 + 8),
        "second": 3 * (8 + 8),
        "last": 3 * (8 + 3 + 3),
    }


def test_heading_says_how_the_model_was_converted():
    model = keras_plex.plexify(make_mlp(), 2, head="keep", last_blocks=1)
    lines = summary_lines(model)
    (heading,) = [line for line in lines if "Converted by" in line]
    assert "batch_ensemble" in heading
    assert "ensemble_size=2" in heading and "'keep'" in heading


def test_stock_summary_comes_first():
    model = keras_plex.plexify(make_mlp(), head="keep")
    lines = summary_lines(model, line_length=90)
    total = [i for i, line in enumerate(lines) if "Total params" in line]
    converted = [i for i, line in enumerate(lines) if "Converted by" in line]
    assert total[0] < converted[0]


def test_print_function_may_be_the_third_argument(capsys):
    model = keras_plex.plexify(make_mlp(), head="keep")
    lines = []
    model.summary(None, None, lines.append)
    assert "Converted by" in "\n".join(lines)
    assert capsys.readouterr().out == ""

"""What `plexify` promises of a family of models, as one assertion."""

import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from keras import tree

from keras_plex.conversion.stock import with_new_head
from keras_plex.conversion.surgery import intercept_calls
from keras_plex.conversion.surgery import owns_variables
from keras_plex.conversion.surgery import walk_layers
from keras_plex.models.plex_model import PlexModel
from keras_plex.plexify import plexify
from keras_plex.testing.exported import call_exported
from keras_plex.testing.family_case import BATCH
from keras_plex.testing.family_case import ENSEMBLE_SIZE
from keras_plex.testing.family_case import FamilyCase
from keras_plex.testing.family_case import flat_arrays
from keras_plex.testing.family_case import largest_difference
from keras_plex.testing.fresh_process import call_in_fresh_process
from keras_plex.testing.shared import check_contracts
from keras_plex.types import Config

# float32 arithmetic in another order.
TOLERANCE = 1e-5


def check_family(
    make_model: Callable[[], keras.Model],
    arguments: Config | None = None,
    *,
    make_inputs: Callable[[keras.Model, int], Any] | None = None,
    tiles_inputs: bool = False,
    fresh_process: bool = True,
) -> None:
    """Asserts what `plexify` promises of a model, or says what breaks.

    For models of your own, on the backend in use. It converts the model with
    members that equal it and with members that do not, counts the rows that
    reach each layer and the weights, trains for a step, saves and loads in a
    fresh process, and exports.

    Args:
        make_model: makes a small stock model with one output or several.
        arguments: of `plexify`, beside the ensemble size, the spread of the
            members and the seed. `num_classes` says that it is a backbone.
        make_inputs: `(model, batch)` to inputs. Defaults to random numbers of
            the shapes that the model takes.
        tiles_inputs: whether all of the model runs once per member, as where
            its layers are called in several places.
        fresh_process: whether the file is loaded in a process of its own,
            which takes ten seconds. Defaults to `True`.

    Raises:
        AssertionError: that names the contract which does not hold.

    Example:

    >>> def make_model():
    ...     layers = [keras.layers.Dense(8, "relu") for _ in range(3)]
    ...     head = keras.layers.Dense(3)
    ...     return keras.Sequential([keras.Input((4,)), *layers, head])
    >>> check_family(make_model, {"last_blocks": 1})
    """
    stock, arguments = make_model(), dict(arguments or {})
    family = type(stock)
    if "num_classes" in arguments:
        check_backbone(stock, arguments)
        stock = with_new_head(stock, arguments.pop("num_classes"))
    inputs = (make_inputs or random_inputs)(stock, BATCH)
    inputs = tree.map_structure(ops.convert_to_tensor, inputs)
    case = FamilyCase(stock, arguments, inputs, tiles_inputs, fresh_process)
    check_contracts(family, FAMILY_CONTRACTS, make_model, case)


def check_backbone(backbone: keras.Model, arguments: Config) -> None:
    """Asserts that a backbone asks for a number of classes, and gets them."""
    others = {k: v for k, v in arguments.items() if k != "num_classes"}
    try:
        plexify(backbone, **others)
    except ValueError as error:
        assert "num_classes" in str(error), f"it raises {error}"
    else:
        raise AssertionError("a backbone is converted without a head")
    outputs = plexify(backbone, **arguments).outputs[0]
    found, classes = outputs.shape[-1], arguments["num_classes"]
    assert found == classes, f"the new head gives {found} outputs"


def random_inputs(model: keras.Model, batch: int) -> Any:
    """Normal numbers, or the integers 0 and 1, of the shapes a model takes.

    Axes of any length are five long.
    """
    generator = np.random.default_rng(0)

    def draw(x: keras.KerasTensor) -> np.ndarray:
        shape = (batch, *(5 if size is None else size for size in x.shape[1:]))
        if "int" in x.dtype or x.dtype == "bool":
            drawn = generator.integers(2, size=shape)
            drawn[:, 0] = 1  # no sentence is empty
            return drawn.astype(x.dtype)
        return generator.normal(size=shape).astype(x.dtype)

    if isinstance(model, keras.Sequential):
        return draw(model.inputs[0])
    return tree.map_structure(draw, model.input)


def _check_neutral(make_model: Callable, case: FamilyCase) -> None:
    stock = flat_arrays(case.stock(case.inputs))
    members = case.members(case.neutral)
    for one, many, is_member in zip(
        stock, members, case.neutral.member_outputs, strict=True
    ):
        if is_member:
            # (batch, ...) -> (batch, ensemble, ...)
            one = np.broadcast_to(one[:, np.newaxis], many.shape)
        difference = largest_difference(one, many)
        allowed = TOLERANCE * max(1.0, np.abs(one).max())
        assert difference <= allowed, f"members differ by {difference:.1e}"


def _check_forecast(make_model: Callable, case: FamilyCase) -> None:
    model, stock = case.neutral, case.stock
    links = {"softmax_logits": ops.softmax, "sigmoid_logits": ops.sigmoid}
    pairs = zip(
        flat_arrays(model(case.inputs)),
        flat_arrays(stock(case.inputs)),
        model.output_kinds,
        strict=True,
    )
    for ours, theirs, kind in pairs:
        link = links.get(kind, ops.identity)
        difference = largest_difference(link(ours), link(theirs))
        assert difference <= TOLERANCE, f"forecasts differ by {difference:.1e}"


def _check_rows(make_model: Callable, case: FamilyCase) -> None:
    times = ENSEMBLE_SIZE if case.tiles_inputs else 1
    conversion = case.neutral.conversion
    converted = {id(layer) for layer in conversion.converted}
    inside = {
        id(layer)
        for block in conversion.blocks
        for layer in (block, *walk_layers(block))
    }
    stock = _rows_by_call(case.stock, case.inputs)
    plex = _rows_by_call(case.neutral, case.inputs)
    number_before = 0
    for (layer, found), (_, rows) in zip(plex, stock, strict=False):
        if id(layer) in converted:
            assert found == ENSEMBLE_SIZE * rows, (
                f"{layer.path!r} has members but sees {found} rows where the "
                f"stock layer sees {rows}"
            )
            break
        if id(layer) not in inside:
            number_before += 1
            assert found == times * rows, (
                f"{layer.path!r} comes before the members but sees {found} "
                f"rows where the stock layer sees {rows}"
            )
    assert number_before, "the members begin at the first layer: no trunk"


def _rows_by_call(
    model: keras.Model, inputs: Any
) -> list[tuple[keras.layers.Layer, int]]:
    """The layers with weights of their own, and how many rows each sees."""
    calls = []

    def note(operation, args, kwargs):
        is_layer = isinstance(operation, keras.layers.Layer)
        if is_layer and owns_variables(operation):
            first = tree.flatten((args, kwargs))[0]
            calls.append((operation, int(first.shape[0])))
        return args, kwargs

    with intercept_calls(note):
        model(inputs)
    return calls


def _check_weights(make_model: Callable, case: FamilyCase) -> None:
    stock, plex = case.stock, case.neutral
    expected = len(stock.weights)
    for layer in plex.conversion.converted:
        expected += _number_of_weights_alone(layer) - _stock_weights(layer)
    assert len(plex.weights) == expected, (
        f"{len(plex.weights)} weights, not {expected}"
    )
    paths = [weight.path for weight in plex.weights]
    twice = sorted({path for path in paths if paths.count(path) > 1})
    known = [weight.path for weight in stock.weights]
    new = [path for path in twice if known.count(path) < 2]
    assert not new, f"weights share the paths {new}"


def _number_of_weights_alone(layer: keras.layers.Layer) -> int:
    """How many weights such a layer has that nobody converted."""
    alone = type(layer).from_config(layer.get_config())
    config = layer.get_build_config()
    if config:
        alone.build_from_config(config)
    else:
        alone.build((None, _stock_kernel(layer).shape[0]))
    return len(alone.weights)


def _stock_weights(layer: keras.layers.Layer) -> int:
    return 1 if getattr(layer, "bias", None) is None else 2


def _stock_kernel(layer: keras.layers.Layer):
    kernel = getattr(layer, "mean_kernel", None)
    return layer.kernel if kernel is None else kernel


def _check_training(make_model: Callable, case: FamilyCase) -> None:
    model, stock = case.spread, case.stock
    of_stock = [w.copy() for w in map(ops.convert_to_numpy, stock.weights)]
    layers = model.conversion.converted
    before = [_trainable(layer) for layer in layers]
    number = len(model.weights), len(model.trainable_weights)
    history = model.fit(
        case.inputs, case.targets(model), batch_size=BATCH, verbose=0
    )
    loss = history.history["loss"][0]
    assert np.isfinite(loss), f"the loss is {loss}"
    still = [
        layer.path
        for layer, old in zip(layers, before, strict=True)
        if old and all(map(np.array_equal, old, _trainable(layer)))
    ]
    # A query learns nothing where there is one key, as in T5's first step.
    assert 2 * len(still) < len(layers), f"no weight of {still[0]!r} moves"
    now = len(model.weights), len(model.trainable_weights)
    assert now == number, f"{now} weights after training, {number} before"
    for old, weight in zip(of_stock, stock.weights, strict=True):
        same = np.array_equal(old, ops.convert_to_numpy(weight))
        assert same, f"training moves {weight.path!r} of the stock model"
    members = case.members(model)[0]
    apart = np.abs(members[:, 0] - members[:, 1]).max()
    assert apart > 0, "members are equal after a step"


def _trainable(layer: keras.layers.Layer) -> list[np.ndarray]:
    return [ops.convert_to_numpy(w).copy() for w in layer.trainable_weights]


def _check_file(make_model: Callable, case: FamilyCase) -> None:
    model = case.spread
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        model.save(path)
        if case.fresh_process:
            loaded = call_in_fresh_process(path, case.inputs)
        else:
            loaded = flat_arrays(keras.saving.load_model(path)(case.inputs))
    difference = largest_difference(loaded, flat_arrays(model(case.inputs)))
    assert difference == 0, f"loaded outputs differ by {difference:.1e}"


def _check_export(make_model: Callable, case: FamilyCase) -> None:
    model: PlexModel = case.spread
    found = call_exported(model, case.inputs)
    expected = flat_arrays(model(case.inputs))
    difference = largest_difference(found, expected)
    allowed = TOLERANCE * max(1.0, *(np.abs(x).max() for x in expected))
    assert difference <= allowed, f"outputs differ by {difference:.1e}"


FAMILY_CONTRACTS = {
    "neutral start": _check_neutral,
    "the forecast is the stock model's": _check_forecast,
    "the trunk is computed once": _check_rows,
    "weights counted": _check_weights,
    "one step of training": _check_training,
    "the file gives the same model": _check_file,
    "export": _check_export,
}

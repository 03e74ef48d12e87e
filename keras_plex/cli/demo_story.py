"""What the demo does, step by step, with every number measured on the way."""

import math
import pathlib
import statistics
import time

import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn
from rich.progress import MofNCompleteColumn
from rich.progress import Progress
from rich.progress import TextColumn
from rich.progress import TimeElapsedColumn

from keras_plex.callbacks.reliability_monitor import ReliabilityMonitor
from keras_plex.cli.demo_report import DemoReport
from keras_plex.cli.demo_report import ModelRow
from keras_plex.data.digits import ReliabilityData
from keras_plex.data.digits import load_digits
from keras_plex.export.request import answer_request
from keras_plex.export.serving import export_for_serving
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.models.plex_model import PlexModel
from keras_plex.plexify import plexify
from keras_plex.tasks.measurements import measure_forecasts
from keras_plex.tasks.measurements import measure_ood
from keras_plex.tasks.measurements import predict_data

BATCH_SIZE = 32
STOCK_LEARNING_RATE = 1e-3
LEARNING_RATE = 3e-4


def tell_story(
    folder: pathlib.Path,
    *,
    seed: int,
    stock_epochs: int,
    epochs: int,
    console: Console,
) -> DemoReport:
    """Trains, converts, compares, saves and serves; returns what it measured.

    Args:
        folder: where `model.keras` and `serving/` go.
        seed: of the split, the weights and the shuffling.
        stock_epochs: how long the stock model learns before it is converted.
        epochs: how long it and its converted copy learn after that, each.
        console: where the progress bars go.
    """
    start = time.perf_counter()
    keras.utils.set_random_seed(seed)
    data = load_digits(seed)
    with _progress(console) as progress:
        stock = build_vit(data)
        train(stock, data, STOCK_LEARNING_RATE, stock_epochs, progress, "stock")
        plex = plexify(stock, seed=seed)
        monitor = ReliabilityMonitor(
            ood={"unknown": data.ood},
            shifted={"noise": data.shifted},
            scores=("msp", "variance"),
            every=5,
            batch_size=256,
        )
        # Both learn on for as long: neither wins by more training.
        train(stock, data, LEARNING_RATE, epochs, progress, "stock, further")
        history = train(
            plex, data, LEARNING_RATE, epochs, progress, "plex", [monitor]
        )
        rows = compare({"stock": stock, "plex": plex}, data, progress)
        is_equal, answer = save_and_serve(plex, data, folder, progress)
    return DemoReport(
        seed=seed,
        epochs=(stock_epochs, epochs),
        rows=rows,
        history={name: list(map(float, v)) for name, v in history.items()},
        labels=data.test[1],
        reloaded_is_equal=is_equal,
        answer=answer,
        mean_field_factor=float(plex.covariance_head.mean_field),
        logit_scale=float(plex.covariance_head.logit_scale),
        seconds=time.perf_counter() - start,
    )


def build_vit(data: ReliabilityData) -> keras.Model:
    """A small KerasHub Vision Transformer for 16x16 images."""
    import keras_hub

    backbone = keras_hub.models.ViTBackbone(
        image_shape=data.train[0].shape[1:],
        patch_size=4,
        num_layers=4,
        num_heads=4,
        hidden_dim=64,
        mlp_dim=128,
        dropout_rate=0.1,
    )
    return keras_hub.models.ViTImageClassifier(
        backbone=backbone, num_classes=data.num_classes
    )


def train(
    model: keras.Model,
    data: ReliabilityData,
    learning_rate: float,
    epochs: int,
    progress: Progress,
    name: str,
    callbacks: list[keras.callbacks.Callback] | None = None,
) -> dict[str, list[float]]:
    """Fits the model and moves a progress bar; returns the history."""
    task = progress.add_task(f"fit {name}", total=epochs)

    class ShowProgress(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            progress.advance(task)

    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        # For a minute of training XLA takes longer than it saves.
        jit_compile=False,
    )
    history = model.fit(
        *data.train,
        validation_data=data.validation,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        callbacks=[*(callbacks or []), ShowProgress()],
        verbose=0,
    )
    return history.history


def compare(
    models: dict[str, keras.Model], data: ReliabilityData, progress: Progress
) -> list[ModelRow]:
    """One row of measured numbers per model."""
    task = progress.add_task("compare", total=len(models))
    times = time_forward_passes(models, data.test[0][:256])
    rows = []
    for name, model in models.items():
        known, _ = predict_data(model, data.test, batch_size=256)
        unknown, _ = predict_data(model, data.ood, batch_size=256)
        shifted, _ = predict_data(model, data.shifted, batch_size=256)
        names = ["msp", "entropy"]
        if isinstance(model, MemberOutputs):
            names += ["mutual_information", "variance"]
        rows.append(
            ModelRow(
                name=name,
                test=measure_forecasts(known, data.test[1]),
                shifted=measure_forecasts(shifted, data.test[1]),
                ood={s: measure_ood(known, unknown, s) for s in names},
                trained_weights=sum(
                    math.prod(w.shape) for w in model.trainable_weights
                ),
                seconds=times[name],
                predictions=known,
            )
        )
        progress.advance(task)
    return rows


def time_forward_passes(
    models: dict[str, keras.Model], x: np.ndarray, repeats: int = 15
) -> dict[str, float]:
    """Median seconds of one `predict_on_batch`, the models in turn."""
    times: dict[str, list[float]] = {name: [] for name in models}
    for repeat in range(repeats + 2):
        for name, model in models.items():
            start = time.perf_counter()
            model.predict_on_batch(x)
            if repeat >= 2:  # the first ones compile
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def save_and_serve(
    model: PlexModel,
    data: ReliabilityData,
    folder: pathlib.Path,
    progress: Progress,
) -> tuple[bool, dict[str, np.ndarray]]:
    """Saves, loads, exports, asks about known and unknown digits.

    Returns:
        Whether the loaded model predicts the same, bit for bit, and the answer
        of the exported one about 100 known and then 100 unknown digits.
    """
    task = progress.add_task("save, reload, export, ask", total=4)
    path = folder / "model.keras"
    model.save(path)
    progress.advance(task)
    loaded = keras.saving.load_model(path)
    x = np.concatenate([data.test[0][:100], data.ood[:100]])
    is_equal = np.array_equal(
        loaded.predict_on_batch(x), model.predict_on_batch(x)
    )
    progress.advance(task)
    version = export_for_serving(model, folder / "serving")
    progress.advance(task)
    answer = answer_request(version, x)
    progress.advance(task)
    return is_equal, answer


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<26}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )

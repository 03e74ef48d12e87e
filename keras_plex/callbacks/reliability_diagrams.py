"""Diagrams of reliability after each epoch, for TensorBoard and as files."""

import functools
import io
import os
import pathlib
import warnings
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import keras

from keras_plex.callbacks.image_events import ImageEvents
from keras_plex.callbacks.image_files import safe_file_name
from keras_plex.callbacks.image_files import write_atomically
from keras_plex.callbacks.reliability_monitor import ReliabilityMonitor
from keras_plex.plots.figures import new_figure
from keras_plex.plots.reliability_diagram import reliability_diagram
from keras_plex.plots.risk_coverage_diagram import risk_coverage_diagram
from keras_plex.plots.score_histograms import ScoreRow
from keras_plex.plots.score_histograms import draw_score_rows
from keras_plex.tasks.arguments import check_positive
from keras_plex.types import Data

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LABELLED = {
    "reliability": reliability_diagram,
    "risk_coverage": risk_coverage_diagram,
}
DOTS_PER_INCH = 100


class ReliabilityDiagrams(keras.callbacks.Callback):
    """Draws reliability after an epoch: TensorBoard images and PNG files.

    | tag | diagram |
    |---|---|
    | `reliability/validation` | `keras_plex.plots.reliability_diagram` |
    | `risk_coverage/validation` | `keras_plex.plots.risk_coverage_diagram` |
    | `reliability/shifted/NAME`, `risk_coverage/shifted/NAME` | the same |
    | `ood/NAME/SCORE` | `keras_plex.plots.score_histograms` |

    Everything lies in `log_dir/images`: the event file, which `tensorboard
    --logdir log_dir` shows as the run "images", and a file such as
    `reliability/validation/epoch_0003.png` for each diagram and epoch. Epochs
    count from 0, as in the charts of `keras.callbacks.TensorBoard`.
    Characters of a name that not every file system takes become `_`.

    With a `ReliabilityMonitor` it draws what the monitor measured and runs no
    forward pass; without one it measures with a monitor of its own, which adds
    nothing to `logs`. What cannot be measured, drawn or written after an epoch
    is left out with a warning that says why: the training, the other diagrams
    and the next epochs go on.

    Args:
        log_dir: folder on this machine.
        monitor: a `ReliabilityMonitor` of the same `fit`, which brings the data
            sets and the scores. Defaults to one made of the next arguments.
        validation: labelled data, arrays `(x, y)` or batches of them. Defaults
            to the validation data of `PlexModel.fit`.
        ood: dict from name to data that the model should not know.
        scores: names of scores, see `keras_plex.scores`. Defaults to those of
            `ReliabilityMonitor`.
        every: positive int: draw in every so many epochs, from the first one,
            and in the last, if `monitor` measured in that epoch. Defaults to
            `1`.
        batch_size: positive int, for arrays. Defaults to `32`.
        max_examples: use the first so many examples of each set, rounded up to
            whole batches. Defaults to all.
        tensorboard: whether to write the event file. Defaults to `True`.

    Raises:
        ModuleNotFoundError: when made, without matplotlib or tensorboard.
        ValueError: when made, for unknown scores, data that can be read only
            once, and data sets beside a monitor; when the training begins, for
            data that cannot be measured or drawn.

    Example:

    >>> model = keras.Sequential(
    ...     [keras.Input((2,)), keras.layers.Dense(3, "softmax")]
    ... )
    >>> model.compile(loss="sparse_categorical_crossentropy")
    >>> x, y = np.ones((8, 2)), np.arange(8) % 3
    >>> diagrams = ReliabilityDiagrams("logs", validation=(x, y))
    >>> history = model.fit(x, y, callbacks=[diagrams], verbose=0)
    >>> for path in sorted(pathlib.Path("logs").rglob("*.png")):
    ...     print(path.as_posix())
    logs/images/reliability/validation/epoch_0000.png
    logs/images/risk_coverage/validation/epoch_0000.png
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        monitor: ReliabilityMonitor | None = None,
        *,
        validation: Data | None = None,
        ood: Mapping[str, Data] | None = None,
        scores: Sequence[str] | None = None,
        every: int = 1,
        batch_size: int | None = None,
        max_examples: int | None = None,
        tensorboard: bool = True,
    ):
        super().__init__()
        new_figure(1, 1)  # raises without matplotlib
        check_positive(every=every)
        options: dict[str, Any] = {
            "validation": validation,
            "ood": ood,
            "scores": scores,
            "batch_size": batch_size,
            "max_examples": max_examples,
        }
        options = {k: v for k, v in options.items() if v is not None}
        if monitor is not None and options:
            raise ValueError(
                "`monitor` brings its own data and scores, beside which "
                f"{', '.join(f'`{name}`' for name in options)} would do "
                "nothing: give them to the monitor."
            )
        self.every = every
        self.owns_monitor = monitor is None
        self.monitor = monitor or ReliabilityMonitor(every=every, **options)
        self.folder = _image_folder(log_dir)
        self._events = ImageEvents(self.folder) if tensorboard else None
        self._seen: Any = None
        self._has_begun, self._is_first = False, True

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._has_begun, self._is_first = False, True
        if self.owns_monitor:
            self.monitor.set_params(self.params)
            self.monitor.set_model(self.model)
            self.monitor.on_train_begin()
            # Fail now, not after the first epoch.
            for _, draw in _diagrams(self.monitor):
                draw()
        elif getattr(self.monitor, "model", None) is not self.model:
            raise ValueError(
                "`monitor` must be a callback of the same `fit`: "
                "callbacks=[monitor, diagrams]."
            )

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if not self._has_begun:
            # Those of the trial before the training.
            self._seen = self.monitor.predictions
            self._has_begun = True
        self._draw_what_is_new()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.owns_monitor:
            try:
                self.monitor.on_epoch_end(epoch)
            except Exception as error:
                self._seen = self.monitor.predictions
                _warn(epoch, [_fault("all diagrams", error)])
        self._draw_what_is_new()

    def on_train_end(self, logs: dict | None = None) -> None:
        self._draw_what_is_new()

    def _draw_what_is_new(self) -> None:
        # A monitor that comes later in the list has measured by the next call.
        epoch = self.monitor.measured_epoch
        if self.monitor.predictions is self._seen or epoch is None:
            return
        self._seen = self.monitor.predictions
        is_last = epoch + 1 == (self.params or {}).get("epochs")
        if self._is_first or is_last or epoch % self.every == 0:
            self._is_first = False
            faults = list(self._write_diagrams(epoch))
            if faults:
                _warn(epoch, faults)

    def _write_diagrams(self, epoch: int) -> Iterator[str]:
        """Draws and writes all; yields what could not be, and why."""
        images = {}
        for parts, draw in _diagrams(self.monitor):
            tag = "/".join(parts)
            folder = self.folder.joinpath(*map(safe_file_name, parts))
            try:
                images[tag] = _png(draw())
                write_atomically(folder / f"epoch_{epoch:04d}.png", images[tag])
            except Exception as error:
                yield _fault(tag, error)
        try:
            if self._events is not None and images:
                self._events.add(images, step=epoch)
        except Exception as error:
            yield _fault("the TensorBoard images", error)


def _image_folder(log_dir: str | os.PathLike[str]) -> pathlib.Path:
    if "://" in os.fspath(log_dir):
        raise ValueError(
            "`log_dir` must be a folder of this machine; copy it to a remote "
            f"store afterwards. Received: log_dir={os.fspath(log_dir)!r}"
        )
    return pathlib.Path(log_dir) / "images"


Diagram = tuple[tuple[str, ...], Callable[[], "Figure"]]


def _diagrams(monitor: ReliabilityMonitor) -> Iterator[Diagram]:
    """The parts of each diagram's tag, and the function that draws it."""
    for where, (found, labels) in monitor.predictions.items():
        kind, _, name = where.partition("/")
        if kind != "ood":
            for diagram, draw in LABELLED.items():
                parts = (diagram, kind, name) if name else (diagram, kind)
                yield parts, functools.partial(draw, {where: found}, labels)
            continue
        known = monitor.score_values["validation"]
        for score_name, unknown in monitor.score_values[where].items():
            row = ScoreRow(name, score_name, known[score_name], unknown)
            draw_row = functools.partial(draw_score_rows, [row])
            yield (kind, name, score_name), draw_row


def _png(figure: "Figure") -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH)
    return buffer.getvalue()


def _fault(what: str, error: Exception) -> str:
    return f"{what} ({type(error).__name__}: {str(error)[:300]})"


def _warn(epoch: int, faults: list[str]) -> None:
    warnings.warn(
        f"`ReliabilityDiagrams` left out, in epoch {epoch}: "
        + "; ".join(faults),
        stacklevel=3,
    )

"""An evaluation as a transform of Apache Beam: a shard for each worker."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

import keras

from keras_plex.tasks.reports.report import Report
from keras_plex.tasks.scale.evaluate_shard import evaluate_shard
from keras_plex.tasks.scale.measure_shards import measure_shards
from keras_plex.tasks.scale.shards import Shard
from keras_plex.tasks.task import Task

try:
    import apache_beam as beam
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "`keras_plex.tasks.scale.beam` needs Apache Beam: "
        'pip install "keras_plex[beam]"',
        name="apache_beam",
    ) from error


class EvaluateOnBeam(beam.PTransform):
    """From the beginning of a pipeline to one `Report`.

    Each worker loads the model once and evaluates its shards; of the examples
    only columns of numbers travel. The report is that of `evaluate`, digit for
    digit, where all workers compute alike.

    Args:
        load_model: gives the model; called once by each worker, as in
            `functools.partial(keras.saving.load_model, "gs://.../m.keras")`.
        make_tasks: gives the tasks with their data; likewise.
        num_shards: of each data set: more than there are workers, so that fast
            ones take more.
        batch_size: for arrays. Defaults to `32`.
        max_examples: of each set, the first ones. Defaults to all.
        resamples: of the bootstrap. Defaults to `200`.
        seed: int, of the bootstrap. Defaults to `0`.

    Example:

    >>> def load_model():
    ...     layers = [keras.Input((3,)), keras.layers.Softmax()]
    ...     return keras.Sequential(layers)
    >>> def make_tasks():
    ...     from keras_plex.tasks import Calibration
    ...
    ...     return [Calibration((np.eye(3), np.arange(3)))]
    >>> with beam.Pipeline("DirectRunner") as pipeline:
    ...     report = pipeline | EvaluateOnBeam(load_model, make_tasks, 2)
    ...     _ = report | beam.Map(lambda report: print(len(report.results)))
    1
    """

    def __init__(
        self,
        load_model: Callable[[], keras.Model],
        make_tasks: Callable[[], Sequence[Task]],
        num_shards: int,
        *,
        batch_size: int = 32,
        max_examples: int | None = None,
        resamples: int = 200,
        seed: int = 0,
    ):
        super().__init__()
        self.evaluate = _EvaluateShard(
            load_model,
            make_tasks,
            num_shards=num_shards,
            batch_size=batch_size,
            max_examples=max_examples,
        )
        self.measure = _MeasureShards(
            make_tasks, resamples=resamples, seed=seed
        )
        self.num_shards = num_shards

    def expand(self, input_or_inputs):
        return (
            input_or_inputs
            | "Shards" >> beam.Create(range(self.num_shards))
            | "Spread" >> beam.Reshuffle()
            | "Evaluate" >> beam.ParDo(self.evaluate)
            | "Measure" >> beam.CombineGlobally(self.measure)
        )


class _EvaluateShard(beam.DoFn):
    """From the number of a shard to the shard."""

    def __init__(self, load_model, make_tasks, **settings):
        super().__init__()
        self.load_model = load_model
        self.make_tasks = make_tasks
        self.settings = settings

    def setup(self) -> None:
        self.model = self.load_model()
        self.tasks = self.make_tasks()

    def process(self, element: int) -> Iterator[Shard]:
        yield evaluate_shard(
            self.model, self.tasks, shard=element, **self.settings
        )


class _MeasureShards(beam.CombineFn):
    """From all shards to the report."""

    def __init__(self, make_tasks, **settings):
        super().__init__()
        self.make_tasks = make_tasks
        self.settings = settings

    def create_accumulator(self) -> list[Shard]:
        return []

    def add_input(self, accumulator: list[Shard], element: Shard):
        return [*accumulator, element]

    def merge_accumulators(self, accumulators) -> list[Shard]:
        return [shard for shards in accumulators for shard in shards]

    def extract_output(self, accumulator: list[Shard]) -> Report | None:
        # Beam asks for the value of nothing beforehand.
        if not accumulator:
            return None
        return measure_shards(self.make_tasks(), accumulator, **self.settings)

"""The reliability tasks: what is measured on a model, and on which data."""

from keras_plex.tasks.active.acquisitions import ACQUISITIONS as ACQUISITIONS
from keras_plex.tasks.active_learning import ActiveLearning as ActiveLearning
from keras_plex.tasks.benchmarks import benchmarks as benchmarks
from keras_plex.tasks.benchmarks import load_task as load_task
from keras_plex.tasks.benchmarks import load_tasks as load_tasks
from keras_plex.tasks.calibration import Calibration as Calibration
from keras_plex.tasks.comparisons.comparison import Comparison as Comparison
from keras_plex.tasks.comparisons.differences import Difference as Difference
from keras_plex.tasks.cost import Cost as Cost
from keras_plex.tasks.cost import measure_cost as measure_cost
from keras_plex.tasks.covariate_shift import CovariateShift as CovariateShift
from keras_plex.tasks.examples import Evidence as Evidence
from keras_plex.tasks.examples import Examples as Examples
from keras_plex.tasks.few_shot_learning import (
    FewShotLearning as FewShotLearning,
)
from keras_plex.tasks.few_shot_uncertainty import (
    FewShotUncertainty as FewShotUncertainty,
)
from keras_plex.tasks.in_distribution import InDistribution as InDistribution
from keras_plex.tasks.label_uncertainty import (
    LabelUncertainty as LabelUncertainty,
)
from keras_plex.tasks.measures import MEASURES as MEASURES
from keras_plex.tasks.open_set_recognition import (
    OpenSetRecognition as OpenSetRecognition,
)
from keras_plex.tasks.reports.report import Report as Report
from keras_plex.tasks.reports.result import TaskResult as TaskResult
from keras_plex.tasks.scale.evaluate_shard import (
    evaluate_shard as evaluate_shard,
)
from keras_plex.tasks.scale.measure_shards import (
    measure_shards as measure_shards,
)
from keras_plex.tasks.scale.shards import Shard as Shard
from keras_plex.tasks.selective_prediction import (
    SelectivePrediction as SelectivePrediction,
)
from keras_plex.tasks.subpopulation_shift import (
    SubpopulationShift as SubpopulationShift,
)
from keras_plex.tasks.table import TASKS as TASKS
from keras_plex.tasks.task import Task as Task

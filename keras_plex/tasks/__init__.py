"""The reliability tasks: what is measured on a model, and on which data."""

from keras_plex.tasks.active.acquisitions import ACQUISITIONS
from keras_plex.tasks.active_learning import ActiveLearning
from keras_plex.tasks.benchmarks import benchmarks
from keras_plex.tasks.benchmarks import load_task
from keras_plex.tasks.benchmarks import load_tasks
from keras_plex.tasks.calibration import Calibration
from keras_plex.tasks.comparisons.comparison import Comparison
from keras_plex.tasks.comparisons.differences import Difference
from keras_plex.tasks.cost import Cost
from keras_plex.tasks.cost import measure_cost
from keras_plex.tasks.covariate_shift import CovariateShift
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.examples import Examples
from keras_plex.tasks.few_shot_learning import FewShotLearning
from keras_plex.tasks.few_shot_uncertainty import FewShotUncertainty
from keras_plex.tasks.in_distribution import InDistribution
from keras_plex.tasks.label_uncertainty import LabelUncertainty
from keras_plex.tasks.measures import MEASURES
from keras_plex.tasks.open_set_recognition import OpenSetRecognition
from keras_plex.tasks.reports.report import Report
from keras_plex.tasks.reports.result import TaskResult
from keras_plex.tasks.scale.evaluate_shard import evaluate_shard
from keras_plex.tasks.scale.measure_shards import measure_shards
from keras_plex.tasks.scale.shards import Shard
from keras_plex.tasks.selective_prediction import SelectivePrediction
from keras_plex.tasks.subpopulation_shift import SubpopulationShift
from keras_plex.tasks.table import TASKS
from keras_plex.tasks.task import Task

__all__ = [
    "ACQUISITIONS",
    "ActiveLearning",
    "Calibration",
    "Comparison",
    "Cost",
    "CovariateShift",
    "Difference",
    "Evidence",
    "Examples",
    "FewShotLearning",
    "FewShotUncertainty",
    "InDistribution",
    "LabelUncertainty",
    "MEASURES",
    "OpenSetRecognition",
    "Report",
    "SelectivePrediction",
    "Shard",
    "SubpopulationShift",
    "TASKS",
    "Task",
    "TaskResult",
    "benchmarks",
    "evaluate_shard",
    "load_task",
    "load_tasks",
    "measure_cost",
    "measure_shards",
]

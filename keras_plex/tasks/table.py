"""The table of task types, by name."""

from keras_plex.tasks.active_learning import ActiveLearning
from keras_plex.tasks.calibration import Calibration
from keras_plex.tasks.covariate_shift import CovariateShift
from keras_plex.tasks.few_shot_learning import FewShotLearning
from keras_plex.tasks.few_shot_uncertainty import FewShotUncertainty
from keras_plex.tasks.in_distribution import InDistribution
from keras_plex.tasks.label_uncertainty import LabelUncertainty
from keras_plex.tasks.open_set_recognition import OpenSetRecognition
from keras_plex.tasks.selective_prediction import SelectivePrediction
from keras_plex.tasks.subpopulation_shift import SubpopulationShift
from keras_plex.tasks.task import Task

TASKS: dict[str, type[Task]] = {
    task.kind: task
    for task in (
        Calibration,
        SelectivePrediction,
        OpenSetRecognition,
        LabelUncertainty,
        InDistribution,
        CovariateShift,
        SubpopulationShift,
        ActiveLearning,
        FewShotLearning,
        FewShotUncertainty,
    )
}

"""The table of task types, by name."""

from keras_plex.tasks.calibration import Calibration
from keras_plex.tasks.covariate_shift import CovariateShift
from keras_plex.tasks.in_distribution import InDistribution
from keras_plex.tasks.label_uncertainty import LabelUncertainty
from keras_plex.tasks.open_set_recognition import OpenSetRecognition
from keras_plex.tasks.selective_prediction import SelectivePrediction
from keras_plex.tasks.subpopulation_shift import SubpopulationShift
from keras_plex.tasks.task import Task

# Three of the ten adapt the model, and are not there yet.
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
    )
}

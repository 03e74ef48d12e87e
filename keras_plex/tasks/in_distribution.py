"""How good is the forecast where it should be?"""

from keras_plex.tasks.calibration import forecast_measures
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.task import Task
from keras_plex.types import Data


class InDistribution(Task):
    """Accuracy and proper scores on data like those of the training.

    Measures: `accuracy`, `nll`, `ece`, `brier`. A soft label counts as right
    by the share that it gives to the predicted class.

    Args:
        test: labelled data: arrays `(x, y)`, or batches of them.
        name: what the results are called. Defaults to `"in_distribution"`.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    >>> x = np.array([[4.0, 0.0], [0.0, 2.0], [1.0, 0.0], [3.0, 1.0]])
    >>> task = InDistribution((x, np.array([0, 1, 1, 0])))
    >>> task.measure(task.predict(model))["accuracy"]
    0.75
    """

    kind = "in_distribution"
    category = "robust generalization"
    headline = "accuracy"
    scored = ("accuracy", "nll")

    def __init__(self, test: Data, *, name: str | None = None):
        super().__init__(name=name)
        self.test = DataSet(test)

    def data_sets(self) -> dict[str, DataSet]:
        return {"test": self.test}

    def measure(self, evidence: Evidence) -> dict[str, float]:
        return forecast_measures(evidence["test"])

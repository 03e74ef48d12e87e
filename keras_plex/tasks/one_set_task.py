"""Tasks that look at one labelled data set."""

from collections.abc import Callable

from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.task import Task
from keras_plex.types import Data


class OneSetTask(Task):
    """Base of the tasks whose only data set is called `"test"`.

    Args:
        test: labelled data, of the kind that `read_as` takes.
        name: what the results are called. Defaults to that of the class.

    Attributes:
        read_as: from the data to what the task reads of them.
    """

    read_as: Callable[[Data], DataSet] = DataSet

    def __init__(self, test: Data, *, name: str | None = None):
        super().__init__(name=name)
        self.test = type(self).read_as(test)

    def data_sets(self) -> dict[str, DataSet]:
        return {"test": self.test}

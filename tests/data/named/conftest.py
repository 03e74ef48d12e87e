"""Data sets of made-up examples, prepared once."""

import pytest

from tests.named_data import prepare


class Directories:
    """Prepares a data set when it is asked for the first time."""

    def __init__(self, root):
        self.root = root
        self.paths = {}

    def __getitem__(self, name):
        if name not in self.paths:
            self.paths[name] = prepare(name, self.root)
        return self.paths[name]


@pytest.fixture(scope="session")
def made_up(tmp_path_factory):
    pytest.importorskip("tensorflow_datasets")
    return Directories(tmp_path_factory.mktemp("tensorflow_datasets"))

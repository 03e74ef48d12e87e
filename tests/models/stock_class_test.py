"""One class for each pair; one name to load it by."""

import keras

from keras_plex.models.plex_model import PlexModel
from keras_plex.models.stock_class import in_front_of


class Front:
    @classmethod
    def from_config(cls, config):
        return cls

    def get_config(self):
        return {}


def test_ours_stands_in_front_of_the_stock_class():
    cls = in_front_of(Front, keras.Sequential, "My")
    assert cls.__name__ == "MySequential"
    assert cls.__mro__[1:3] == (Front, keras.Sequential)


def test_a_pair_has_one_class():
    cls = in_front_of(Front, keras.Sequential, "My")
    assert in_front_of(Front, keras.Sequential, "My") is cls
    assert in_front_of(Front, keras.Model, "My") is not cls


def test_all_are_saved_under_the_name_of_ours_which_finds_ours():
    cls = in_front_of(Front, keras.Sequential, "My")
    for one in (cls, Front):
        assert keras.saving.get_registered_name(one) == "keras_plex>Front"
    found = keras.saving.get_registered_object("keras_plex>Front")
    assert found is Front
    found = keras.saving.get_registered_object("keras_plex>PlexModel")
    assert found is PlexModel

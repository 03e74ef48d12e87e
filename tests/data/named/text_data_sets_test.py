"""Rows of the table; `table_test.py` reads each."""

from keras_plex.data.named.text_data_sets import TEXT_DATA_SETS


def test_names_are_told_apart():
    names = [row.name for row in TEXT_DATA_SETS]
    assert len(set(names)) == len(names)


def test_modalities_belong_here():
    modalities = {row.modality for row in TEXT_DATA_SETS}
    assert modalities == {"text", "text pair"}

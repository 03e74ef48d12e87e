"""The table of named data sets, by the name that users say."""

from keras_plex.data.named.image_data_sets import IMAGE_DATA_SETS
from keras_plex.data.named.named_data_set import NamedDataSet
from keras_plex.data.named.text_data_sets import TEXT_DATA_SETS

# Sizes and numbers of examples are those of TensorFlow Datasets 4.9.10 and of
# its catalogue; what neither states is `None`. Add a row for a new data set.
DATA_SETS: dict[str, NamedDataSet] = {
    row.name: row for row in (*IMAGE_DATA_SETS, *TEXT_DATA_SETS)
}

"""The table of named text data sets."""

from keras_plex.data.named.groups import feature
from keras_plex.data.named.groups import most_named
from keras_plex.data.named.hans import read_hans
from keras_plex.data.named.labels import at_least
from keras_plex.data.named.labels import class_index
from keras_plex.data.named.labels import merged_classes
from keras_plex.data.named.named_data_set import NamedDataSet

# The same order as in TensorFlow Datasets; on a tie the first counts.
IDENTITIES = (
    "male",
    "female",
    "transgender",
    "other_gender",
    "heterosexual",
    "homosexual_gay_or_lesbian",
    "bisexual",
    "other_sexual_orientation",
    "christian",
    "jewish",
    "muslim",
    "hindu",
    "buddhist",
    "atheist",
    "other_religion",
    "black",
    "white",
    "asian",
    "latino",
    "other_race_or_ethnicity",
    "physical_disability",
    "intellectual_or_learning_disability",
    "psychiatric_or_mental_illness",
    "other_disability",
)
TOXIC = {2: at_least("toxicity", 0.5)}
CIVIL_COMMENTS = "https://www.kaggle.com/c/jigsaw-unintended-bias-in-toxicity-classification/data"

TEXT_DATA_SETS = (
    NamedDataSet(
        name="clinc_oos",
        tfds="clinc_oos:0.1.0",
        modality="text",
        splits={
            "train": 15_000,
            "validation": 3_000,
            "test": 4_500,
            "train_oos": 100,
            "validation_oos": 100,
            "test_oos": 1_000,
        },
        labels={150: class_index("intent")},
        inputs=("text",),
        group=feature("domain_name"),
        download_bytes=262_154,
        homepage="https://github.com/clinc/oos-eval/",
        licence="CC BY 3.0",
        citation="Larson et al., 2019",
    ),
    NamedDataSet(
        name="trec",
        tfds="trec:1.0.0",
        modality="text",
        splits={"train": 5_452, "test": 500},
        labels={6: class_index("label-coarse"), 47: class_index("label-fine")},
        inputs=("text",),
        download_bytes=359_212,
        homepage="https://cogcomp.seas.upenn.edu/Data/QA/QC/",
        citation="Li and Roth, 2002",
    ),
    NamedDataSet(
        name="civil_comments",
        tfds="civil_comments/CivilComments:1.2.4",
        modality="text",
        splits={"train": None, "validation": None, "test": None},
        labels=TOXIC,
        inputs=("text",),
        download_bytes=448_174_578,
        urls=("civil_comments_v1.2.zip",),
        homepage=CIVIL_COMMENTS,
        licence="CC0",
        citation="Borkan et al., 2019",
    ),
    NamedDataSet(
        name="civil_comments_identities",
        tfds="civil_comments/CivilCommentsIdentities:1.2.4",
        modality="text",
        splits={"train": None, "validation": None, "test": None},
        labels=TOXIC,
        inputs=("text",),
        group=most_named(IDENTITIES, 0.5),
        download_bytes=448_174_578,
        urls=("civil_comments_v1.2.zip",),
        homepage=CIVIL_COMMENTS,
        licence="CC0",
        citation="Borkan et al., 2019",
    ),
    NamedDataSet(
        name="wikipedia_toxicity",
        tfds="wikipedia_toxicity_subtypes/EnglishSubtypes:0.3.1",
        modality="text",
        splits={"train": None, "test": None},
        labels=TOXIC,
        inputs=("text",),
        download_bytes=53_025_584,
        urls=("wikipedia_toxicity_subtypes_v0.3.zip",),
        homepage="https://www.kaggle.com/c/jigsaw-toxic-comment-classification-challenge/data",
        licence="CC0",
        citation="Wulczyn et al., 2017",
    ),
    NamedDataSet(
        name="mnli",
        tfds="glue/mnli:2.0.0",
        modality="text pair",
        splits={
            "train": 392_702,
            "validation_matched": 9_815,
            "validation_mismatched": 9_832,
            "test_matched": 9_796,
            "test_mismatched": 9_847,
        },
        # Entailment, neutral, contradiction; or entailment (1) against the
        # others (0).
        labels={
            3: class_index("label"),
            2: merged_classes("label", (1, 0, 0)),
        },
        inputs=("premise", "hypothesis"),
        download_bytes=312_783_507,
        urls=("MNLI.zip",),
        homepage="http://www.nyu.edu/projects/bowman/multinli/",
        citation="Williams et al., 2018",
    ),
    NamedDataSet(
        name="hans",
        tfds=None,
        modality="text pair",
        splits={"evaluation": 30_000},
        labels={2: class_index("label")},
        inputs=("premise", "hypothesis"),
        group=feature("subcase"),
        file="heuristics_evaluation_set.txt",
        read_file=read_hans,
        homepage="https://github.com/tommccoy1/hans",
        licence="MIT",
        citation="McCoy et al., 2019",
    ),
)

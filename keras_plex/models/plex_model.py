"""What a converted model adds to the stock one."""

import dataclasses
import functools
import inspect

import keras

from keras_plex.conversion.convert import Conversion
from keras_plex.conversion.convert import convert
from keras_plex.conversion.copying import deserialize_stock
from keras_plex.conversion.quantization import quantization_of
from keras_plex.conversion.quantization import quantize_as
from keras_plex.conversion.settings import Settings
from keras_plex.conversion.surgery import set_model_class
from keras_plex.conversion.trainable_flags import flags_of
from keras_plex.conversion.trainable_flags import set_flags
from keras_plex.models.covariance import fit_covariance
from keras_plex.models.covariance import fit_to_validation
from keras_plex.models.covariance import is_fitted_to_validation
from keras_plex.models.covariance import is_sum_over_data
from keras_plex.models.covariance import set_mean_field_for
from keras_plex.models.covariance import try_fit_covariance
from keras_plex.models.covariance import try_fit_to_validation
from keras_plex.models.fit_arguments import FitArguments
from keras_plex.models.fresh_functions import FreshFunctions
from keras_plex.models.generation.language_models import generation_mixins
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.models.output_kinds import kinds_of_model
from keras_plex.models.output_kinds import unsure_outputs
from keras_plex.models.output_sources import find_sources
from keras_plex.models.plex_state import PlexState
from keras_plex.models.quantizing import quantize_trunk
from keras_plex.models.shared_weights import freeze_shared_weights
from keras_plex.models.stock_class import in_front_of
from keras_plex.models.summary import print_conversion
from keras_plex.models.tiled_pass import tiled_pass
from keras_plex.types import Config
from keras_plex.types import Data


@keras.saving.register_keras_serializable("keras_plex")
class PlexModel(FreshFunctions, MemberOutputs):
    """A stock Keras model whose last layers are an ensemble.

    `plexify` makes one. It stays what it was (`isinstance` of the stock class,
    `.backbone`, `.preprocessor`, `fit`, `predict`, `save`): outside it gives
    one forecast per example, the mean of the members' probabilities; inside,
    the training loss is the mean of the members' losses.

    Example:

    >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(3)]
    >>> stock = keras.Sequential([keras.Input((4,)), *layers])
    >>> model = keras_plex.plexify(stock, last_blocks=1, seed=0)
    >>> x = np.ones((5, 4), "float32")
    >>> model.predict(x, verbose=0).shape
    (5, 3)
    >>> model.predict_members(x).shape
    (5, 3, 3)
    >>> model.predict_uncertainty(x).entropy.shape
    (5,)
    """

    _plex: PlexState

    @property
    def conversion(self) -> Conversion:
        """What was converted."""
        return self._plex.conversion

    def fit_covariance(
        self,
        dataset: Data,
        batch_size: int = 32,
        *,
        validation_data: Data | None = None,
    ) -> None:
        """Makes the covariance that of a data set, without training.

        Args:
            dataset: `x`, `(x, y)`, or batches of them; labels are not used.
            batch_size: for arrays. Defaults to `32`.
            validation_data: labelled data to fit the mean-field factor and the
                scale of the logits to.
        """
        if validation_data is not None and not is_fitted_to_validation(self):
            raise ValueError(
                "`validation_data` fits the mean-field factor, which is fixed "
                "here: a regression has none, and `mean_field_factor` is given."
            )
        fit_covariance(self, dataset, batch_size)
        self.drop_calibration("`fit_covariance`")
        if validation_data is not None:
            fit_to_validation(self, validation_data)

    def freeze_shared_weights(self) -> None:
        """Leaves only members and output layers to learn.

        What learns after it: the members' own weights, LoRA weights, and the
        output layers. All else is frozen, with a new optimizer where the
        model is compiled. Works for a model that was frozen before, too.

        Example:

        >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(3)]
        >>> stock = keras.Sequential([keras.Input((4,)), *layers])
        >>> model = keras_plex.plexify(stock, last_blocks=1, head="keep")
        >>> model.freeze_shared_weights()
        >>> [weight.name for weight in model.trainable_weights]
        ['alpha', 'gamma', 'member_bias', 'kernel', 'bias']
        """
        freeze_shared_weights(self)

    def quantize(self, mode=None, config=None, filters=None, **kwargs) -> None:
        """Quantizes the layers that no member has changed.

        Converted layers and output layers stay in floating point. If a layer
        cannot be quantized, none is.

        Args:
            mode: `"int8"`, `"int4"` or `"float8"`.
            config: `None`, or a `keras.quantizers.QuantizationConfig`.
            filters: which of these layers, as in `keras.Model.quantize`.
            **kwargs: `type_check`, which Keras passes on.
        """
        stock_quantize = functools.partial(super().quantize, **kwargs)
        quantize_trunk(self, stock_quantize, mode, config, filters)

    def after_fit(self, arguments: FitArguments) -> None:
        validation = arguments.validation_data()
        if validation is None or not is_fitted_to_validation(self):
            return
        training = arguments.training_data()
        if training is not None and is_sum_over_data(self):
            # Training saw it with dropout, by weights that moved meanwhile.
            try_fit_covariance(
                self,
                training,
                arguments.batch_size(),
                verbose=arguments.shows_progress(),
            )
        try_fit_to_validation(self, validation, arguments.validation_steps())

    def call(self, *args, **kwargs):
        return tiled_pass(
            self,
            super().call,
            args,
            kwargs,
            layout=self.conversion.layout,
            class_token_only=self.conversion.class_token_only,
        )

    def summary(self, *args, **kwargs) -> None:
        """`summary` of the stock model, then the converted layers."""
        super().summary(*args, **kwargs)
        bound = inspect.signature(super().summary).bind(*args, **kwargs)
        print_fn = bound.arguments.get("print_fn")
        print_conversion(self.conversion, print_fn or print)

    def get_config(self) -> Config:
        return {
            "stock": self._plex.stock_config,
            "settings": dataclasses.asdict(self.conversion.settings),
            "output_kinds": list(self.output_kinds),
            "quantization": quantization_of(self),
            "trainable": flags_of(self),
            **self.calibration_config(),
        }

    @classmethod
    def from_config(cls, config: Config, custom_objects=None) -> "PlexModel":
        model = deserialize_stock(config["stock"], custom_objects)
        model = adopt(model, config["stock"], Settings(**config["settings"]))
        quantize_as(model, config.get("quantization", {}))
        if "trainable" in config:
            set_flags(model, config["trainable"])
        model.output_kinds = tuple(config["output_kinds"])
        model.restore_calibration(config)
        return model


def adopt(
    model: keras.Model, stock_config: Config, settings: Settings
) -> PlexModel:
    """Makes a stock model, which the caller owns, a `PlexModel` in place."""
    conversion = convert(model, settings)
    sources = find_sources(model, conversion.heads)
    kinds = kinds_of_model(model, sources)
    model._plex = PlexState(
        ensemble_size=settings.ensemble_size,
        member_outputs=tuple(conversion.layout.member_outputs),
        heads=conversion.heads,
        output_kinds=kinds,
        sources=sources,
        unsure_outputs=unsure_outputs(model, sources),
        stock_config=stock_config,
        conversion=conversion,
    )
    mixins = generation_mixins(model, conversion)
    set_model_class(model, in_front_of(PlexModel, type(model), "Plex", mixins))
    set_mean_field_for(kinds, model.covariance_head)
    return model

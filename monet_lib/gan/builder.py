"""Build a compiled CycleGAN from a Config: networks, precision, learning rates."""

from typing import Any

import keras

from monet_lib.config import Config
from monet_lib.gan.cyclegan import CycleGAN
from monet_lib.gan.feature_discriminator import FeatureDiscriminator
from monet_lib.gan.precision import pick_precision
from monet_lib.gan.scaled_adam import ScaledAdam
from monet_lib.networks.discriminators import discriminator_of
from monet_lib.networks.generators import generator_of


@keras.saving.register_keras_serializable("monet_lib")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """`rate` for the first `constant` steps, then a straight line to 0 at `total` (Zhu et al. 2017, 7.1)."""

    def __init__(self, rate: float, constant: int, total: int) -> None:
        self.rate = rate
        # A variable, so that a plan made while training needs no new graph; float32 counts exactly to 16 million.
        self.bounds = keras.Variable([float(constant), float(total)], trainable=False, dtype="float32", name="bounds")

    def __call__(self, step: Any) -> Any:
        constant, total = self.bounds[0], self.bounds[1]
        left = (total - keras.ops.cast(step, "float32")) / keras.ops.maximum(1.0, total - constant)
        return self.rate * keras.ops.clip(left, 0.0, 1.0)

    def plan(self, constant: int, total: int) -> None:
        """Fall from step `constant` on, to 0 at step `total`."""
        self.bounds.assign([float(constant), float(total)])

    def get_config(self) -> dict[str, Any]:
        constant, total = (float(x) for x in self.bounds.numpy())
        return {"rate": self.rate, "constant": constant, "total": total}


def build(config: Config, steps: int) -> CycleGAN:
    """A compiled CycleGAN for `steps` training steps, its weights drawn from config.seed.

    Under the scope of a `devices.strategy()` it trains on all of that strategy's devices.
    """
    keras.utils.set_random_seed(config.seed)
    outside = keras.config.dtype_policy()
    keras.config.set_dtype_policy(pick_precision(config.precision))
    try:
        model = _untrained(config)
    finally:
        keras.config.set_dtype_policy(outside)
    return compiled(model, config, steps)


def compiled(model: CycleGAN, config: Config, steps: int) -> CycleGAN:
    """The model with the Config's losses, and optimizers for the networks that it has now, for `steps` steps."""
    rates = (config.generator_rate, config.discriminator_rate)
    schedules = [ConstantThenLinear(rate, round(config.decay_from * steps), steps) for rate in rates]
    adam = ScaledAdam if pick_precision(config.precision) == "mixed_float16" else keras.optimizers.Adam
    generators, discriminators = (adam(schedule, beta_1=config.beta_1) for schedule in schedules)
    model.compile(generators, discriminators, config, steps)
    model.schedules = schedules
    return model


def _untrained(config):
    """The CycleGAN of a Config, not compiled, in Keras' dtype policy of now."""
    generators = [generator_of(config, f"{side}_generator") for side in ("monet", "photo")]
    discriminators = [discriminator_of(config, f"{side}_discriminator") for side in ("monet", "photo")]
    averaged = generator_of(config, "averaged_generator") if config.ema else None
    on_features = FeatureDiscriminator(seed=config.seed) if config.feature_discriminator else None
    shape = (config.image_size, config.image_size, 3)
    return CycleGAN(*generators, *discriminators, averaged, config.pool_size, shape, config.seed, on_features)

"""Build a CycleGAN from a Config and train it in a run's folder: devices, precision, learning rates, resuming."""

import time
from pathlib import Path

import keras
import numpy as np

from monet_lib.adam import FusedAdam
from monet_lib.budget import TimeBudget
from monet_lib.callbacks import Journal, Pictures, Saver
from monet_lib.checkpoints import Checkpoints, load_networks
from monet_lib.config import UserError
from monet_lib.cyclegan import CycleGAN
from monet_lib.data import find_images, to_float
from monet_lib.devices import pick_precision, strategy
from monet_lib.feature_discriminator import FeatureDiscriminator
from monet_lib.guards import Guard
from monet_lib.models import discriminator_of, generator_of
from monet_lib.pipeline import UnpairedBatches, load_pair, split
from monet_lib.runs import Run
from monet_lib.tensorboard import TensorBoard, require_tensorboard
from monet_lib.validation import Validator
from monet_lib.workers import fit_on, folder_of, restore_together


@keras.saving.register_keras_serializable("monet_lib")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """`rate` for the first `constant` steps, then a straight line to 0 at `total` (Zhu et al. 2017, 7.1)."""

    def __init__(self, rate, constant, total):
        self.rate, self.constant, self.total = rate, constant, total

    def __call__(self, step):
        left = (self.total - keras.ops.cast(step, "float32")) / max(1, self.total - self.constant)
        return self.rate * keras.ops.clip(left, 0.0, 1.0)

    def get_config(self):
        return {"rate": self.rate, "constant": self.constant, "total": self.total}


def build(config, steps):
    """A compiled CycleGAN for `steps` training steps, its weights drawn from config.seed.

    Under the scope of a `devices.strategy()` it trains on all of that strategy's devices.
    """
    keras.utils.set_random_seed(config.seed)
    outside = keras.config.dtype_policy()
    keras.config.set_dtype_policy(pick_precision(config.precision))
    try:
        model = CycleGAN(
            generator_of(config, "monet_generator"),
            generator_of(config, "photo_generator"),
            discriminator_of(config, "monet_discriminator"),
            discriminator_of(config, "photo_discriminator"),
            generator_of(config, "averaged_generator") if config.ema else None,
            config.pool_size,
            (config.image_size, config.image_size, 3),
            config.seed,
            FeatureDiscriminator(seed=config.seed) if config.feature_discriminator else None,
        )
    finally:
        keras.config.set_dtype_policy(outside)
    constant = round(config.decay_from * steps)
    rates = (config.generator_rate, config.discriminator_rate)
    model.compile(
        *(FusedAdam(ConstantThenLinear(r, constant, steps), config.beta_1) for r in rates),
        adversarial=config.adversarial,
        real_label=config.real_label,
        cycle_weight=config.cycle_weight,
        identity_weight=config.identity_weight,
        identity_steps=round(config.identity_until * steps),
        r1_weight=config.r1_weight,
        diff_augment=config.diff_augment,
        ema=config.ema,
        joined="batch" not in (config.norm, config.discriminator_norm),
        feature_share=config.feature_discriminator,
    )
    return model


def train(config, data, out, skip_bad=False, format=None, callbacks=(), devices="auto", time_budget=None,
          tensorboard=False):  # fmt: skip
    """Train in the folder `out`, from its last checkpoint if it has one. Returns the CycleGAN.

    data: the images' folder (see `data.find_data`). Writes config.json, history.csv, checkpoints/, grids/,
    losses.png and generator.npz. Ctrl-C saves and returns. Raises UserError for bad images, for an `out` that holds
    another run, and where it can't write. callbacks: more Keras callbacks. devices: see `devices.strategy`.
    time_budget: hours from now for training and for painting the photos afterwards; None: no limit. The learning rates
    follow the step and not the clock: a run that is stopped early goes on at the same rates with the next call.
    tensorboard: also write tensorboard/, see `tensorboard.TensorBoard`.
    """
    began = time.monotonic()
    if time_budget is not None and not time_budget > 0:
        raise UserError(f"time budget: must be more than 0 hours, got {time_budget!r}.")
    if tensorboard:
        require_tensorboard()
    scope = strategy(devices)
    with folder_of(scope, out) as folder:
        return _train_in(
            scope, config, data, out, folder, skip_bad, format, callbacks,
            time_budget and began + 3600 * time_budget, tensorboard,
        )  # fmt: skip


def _train_in(scope, config, data, out, folder, skip_bad, format, callbacks, deadline, tensorboard):
    if config.batch_size % scope.num_replicas_in_sync:
        raise UserError(
            f"batch_size: {config.batch_size} is no multiple of the {scope.num_replicas_in_sync} devices. Change it."
        )
    pair = load_pair(data, skip_bad, format)
    kept, held = {}, {}
    for name, holdout in (("monet", config.holdout_monets), ("photo", config.holdout_photos)):
        pixels = pair[name][1]
        if holdout >= len(pixels):
            raise UserError(f"holdout_{name}s: {holdout} of {len(pixels)} leaves none to train on. Lower it.")
        inside, outside = split(len(pixels), holdout, config.seed)
        kept[name], held[name] = (pixels[inside] if holdout else pixels), pixels[outside]
    batches = UnpairedBatches(kept["monet"], kept["photo"], config)
    steps = config.steps or config.epochs * batches.steps_per_epoch
    run = Run.open(folder, config.with_(steps=steps), data, pair, format)
    with scope.scope():
        model = build(config, steps)
    checkpoints = Checkpoints(run.folder / "checkpoints", model, config.keep)
    start = restore_together(scope, checkpoints, Path(out) / "checkpoints")
    if config.start_from and not start:
        with scope.scope():
            load_networks(config.start_from, model)
    if start >= steps:
        print(f"{out}: trained to its last step, {steps}, already")
        return model
    print(f"{out}: {f'going on from step {start}' if start else 'a new run'}, to step {steps}; "
          f"{batches.steps_per_epoch} steps an epoch; {pick_precision(config.precision)}")  # fmt: skip
    shown = [np.asarray(to_float(kept[name][:4])) for name in ("photo", "monet")]
    saver = Saver(run, checkpoints, start, config.checkpoint_every)
    journal = Journal(run, start, steps, config.log_every)
    pictures = Pictures(run, shown, start, batches.steps_per_epoch)
    callbacks = [Guard(run, start, shown[0]), *callbacks]
    validator = None
    if config.validate_every:
        validator = Validator(run, start, saver, held["photo"], held["monet"], kept["monet"])
        callbacks = [*callbacks, validator]
    if deadline is not None:
        photos = find_images(data, "photo", format)
        callbacks = [*callbacks, TimeBudget(run, start, saver, photos, deadline)]
    callbacks = [journal, *callbacks, pictures, saver]
    if tensorboard:
        callbacks = [*callbacks, TensorBoard(run, start, journal, pictures, validator)]
    try:
        fit_on(scope, model, batches, start, steps, callbacks)
    except KeyboardInterrupt:
        journal.close()
        saver.save()
        pictures.draw()
        print(f"\nstopped at step {saver.step} of {steps} and saved; the same command goes on from there")
    finally:
        journal.close()
    return model

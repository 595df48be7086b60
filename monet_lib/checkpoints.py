"""Checkpoints that survive anything: written beside and renamed, several kept, damaged ones passed over."""

import json
import os
import shutil
import uuid
from pathlib import Path

import numpy as np
import tensorflow as tf

from monet_lib.config import Config, UserError
from monet_lib.models import generator_of, with_border


class Checkpoints:
    """The training state under a folder: `step-00000500/` and so on, and `best/`.

    The state is every variable of the model (both generators, their average, both discriminators, image pools,
    dropout's random state) and of both optimizers (moments, step count): all that a later step depends on, since data
    order and random draws are functions of the step.
    """

    def __init__(self, folder, model, keep=3):
        self.folder, self.model, self.keep = Path(folder), model, keep
        self.folder.mkdir(parents=True, exist_ok=True)
        for leftover in self.folder.glob("writing-*"):
            shutil.rmtree(leftover)
        optimizers = (model.generator_optimizer, model.discriminator_optimizer)
        variables = [v.value for part in (model, *optimizers) for v in part.variables]
        self._checkpoint = tf.train.Checkpoint(variables=list({id(v): v for v in variables}.values()))

    def save(self, step):
        """Write the state of `step` and drop the oldest beyond `keep`. Raises UserError where it can't be written."""
        target = self.folder / f"step-{step:08d}"
        _write_folder(target, lambda folder: self._checkpoint.write(str(folder / "state")))
        for old in self.saved()[: -self.keep]:
            shutil.rmtree(old)
        return target

    def save_best(self, step, score):
        """Keep the state of `step`, saved before, as `best/` with its score."""

        def copy(folder):
            shutil.copytree(self.folder / f"step-{step:08d}", folder, dirs_exist_ok=True)
            (folder / "score.json").write_text(json.dumps({"step": step, "score": score}))

        _write_folder(self.folder / "best", copy)

    def saved(self):
        """The complete checkpoints, oldest first."""
        return sorted(self.folder.glob("step-*"))

    def restore(self):
        """Load the newest whole checkpoint and return its step, 0 if there is none. Prints what it passed over."""
        for folder in reversed(self.saved()):
            step = int(folder.name.removeprefix("step-"))
            try:
                self._load(folder)
                return step
            except (tf.errors.OpError, AssertionError, ValueError) as error:
                reason = str(error).splitlines()[0][:120]
                print(f"{folder}: damaged ({reason}); using the one before it. You may delete this folder.")
                damaged = folder.with_name(f"damaged-{folder.name}")
                shutil.rmtree(damaged, ignore_errors=True)
                folder.rename(damaged)
        if any(self.folder.glob("damaged-*")):
            raise UserError(f"{self.folder}: no whole checkpoint is left. Start again with another --out.")
        return 0

    def read(self, folder):
        """Load one checkpoint, such as another process's. Raises UserError if it isn't there or not whole."""
        try:
            self._load(folder)
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            reason = str(error).splitlines()[0][:120]
            raise UserError(
                f"{folder}: can't be read here ({reason}). Put --out on a disk that all machines see."
            ) from None

    def _load(self, folder):
        self._checkpoint.read(str(folder / "state")).assert_consumed()


COMPANIONS = ("photo_generator", "monet_discriminator", "photo_discriminator", "feature_discriminator")


def save_generator(path, generator, config, half=False):
    """Write a generator's weights and the Config that built it as one .npz without pickles; as float16 if `half`."""
    weights = {f"w{k:03d}": w for k, w in enumerate(generator.get_weights())}
    _save_arrays(path, {"config": np.array(json.dumps(config.settings()))} | weights, half)


def save_networks(folder, model, config, half=False):
    """Write a CycleGAN without its optimizers, for `load_networks`: monet.npz, which paints, and companions.npz."""
    save_generator(
        Path(folder) / "monet.npz", model.averaged_generator or model.monet_generator, config, half
    )
    others = {
        f"{name}-{k:03d}": w
        for name in COMPANIONS
        if (network := getattr(model, name)) is not None
        for k, w in enumerate(network.get_weights())
    }
    _save_arrays(Path(folder) / "companions.npz", others, half)


def load_networks(folder, model):
    """Put the weights that `save_networks` wrote into a CycleGAN of the same networks. Raises UserError for others.

    A discriminator of another kind, with another norm or on features, keeps its fresh weights, and that is said.
    """
    weights = load_generator(Path(folder) / "monet.npz")[0].get_weights()
    file = Path(folder) / "companions.npz"
    targets = [(network, weights) for network in (model.monet_generator, model.averaged_generator) if network]
    try:
        with np.load(file, allow_pickle=False) as others:
            for name in COMPANIONS:
                found = [others[k].astype("float32") for k in sorted(others.files) if k.startswith(name)]
                network = getattr(model, name)
                if network is None:
                    continue
                if name.endswith("discriminator") and len(found) != len(network.weights):
                    # Trained without a feature discriminator, say, or with another norm.
                    print(f"{folder}: no {name} of the config's kind; it starts afresh")
                    continue
                targets.append((network, found))
    except (ValueError, OSError, EOFError) as error:
        reason = str(error).splitlines()[0][:120]
        raise UserError(f"{file}: not a file of networks ({reason}). Restore it or start afresh.") from None
    for network, found in targets:
        if [w.shape for w in found] != [w.shape for w in network.get_weights()]:
            raise UserError(
                f"{folder}: its {network.name} is another network than the config's. Set the networks as they were "
                "trained: checkpoints.load_generator gives the config."
            )
    for network, found in targets:
        network.set_weights(found)


def _save_arrays(path, arrays, half):
    if half:
        arrays = {k: v.astype("float16") if v.dtype == np.float32 else v for k, v in arrays.items()}
    save = np.savez_compressed if half else np.savez

    def write(file):
        with open(file, "wb") as stream:
            save(stream, **arrays)

    write_beside(Path(path), write)


def load_generator(path):
    """(generator, Config) from the file that `save_generator` wrote: it paints with its config's border.

    Raises UserError for any other file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            config = Config().with_(**json.loads(str(file["config"])))
            generator = generator_of(config)
            generator.set_weights([file[k].astype("float32") for k in sorted(file.files) if k != "config"])
    except FileNotFoundError:
        raise UserError(f"{path}: no such file. Train first: monet train --out RUN.") from None
    except (ValueError, KeyError, OSError, EOFError) as error:
        reason = str(error).splitlines()[0][:120]
        raise UserError(f"{path}: not a generator file ({reason}). Train again or restore it.") from None
    return with_border(generator, config.border), config


def write_beside(path, write):
    """Call write(temporary path beside `path`), then rename: `path` is whole or as it was.

    Raises UserError where the folder can't be written or the disk is full.
    """
    temporary = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}")
    try:
        write(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(
            f"{path}: can't be written ({error.strerror or error}). Free space or choose another place."
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _write_folder(target, write):
    """The same for a folder: write(folder) into a new one beside, then rename over `target`."""
    temporary = target.with_name(f"writing-{uuid.uuid4().hex[:8]}")
    try:
        temporary.mkdir()
        write(temporary)
        if target.exists():
            target.rename(temporary.with_name(f"{temporary.name}-old"))
        temporary.rename(target)
        shutil.rmtree(temporary.with_name(f"{temporary.name}-old"), ignore_errors=True)
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0][:120]
        raise UserError(
            f"{target}: can't be written ({reason}). Earlier checkpoints are kept; free space and go on."
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)

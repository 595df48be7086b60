"""Trained networks as files: arrays without pickles, with the Config that builds the networks they belong to."""

import json
from pathlib import Path

import keras
import numpy as np

from monet_lib.config import Config
from monet_lib.files import UserError, disguised, reading, write_beside
from monet_lib.model.generators import generator_of, with_border

COMPANIONS = ("photo_generator", "monet_discriminator", "photo_discriminator", "feature_discriminator")


def save_generator(path: str | Path, generator: keras.Model, config: Config, half: bool = False) -> None:
    """Write a generator's weights and the Config that built it as one .npz without pickles; as float16 if `half`."""
    weights = {f"w{k:03d}": w for k, w in enumerate(generator.get_weights())}
    _save_arrays(path, {"config": np.array(json.dumps(config.settings()))} | weights, half)


def save_networks(folder: str | Path, model: keras.Model, config: Config, half: bool = False) -> None:
    """Write a CycleGAN without its optimizers, for `load_networks`: monet.npz, which paints, and companions.npz.

    half: as float16; the companions, to which training brings the rest again, with 5 bits behind the leading one.
    """
    save_generator(Path(folder) / "monet.npz", model.averaged_generator or model.monet_generator, config, half)
    networks = {name: getattr(model, name) for name in COMPANIONS if getattr(model, name) is not None}
    others = {f"{name}-{k:03d}": w for name, part in networks.items() for k, w in enumerate(part.get_weights())}
    if half:
        others = {name: _coarse(w) for name, w in others.items()}
    _save_arrays(Path(folder) / "companions.npz", others, half)


def load_networks(folder: str | Path, model: keras.Model) -> None:
    """Put the weights that `save_networks` wrote into a CycleGAN of the same networks. Raises UserError for others.

    A discriminator of another kind, with another norm or on features, keeps its fresh weights, which is printed.
    """
    weights = load_generator(Path(folder) / "monet.npz")[0].get_weights()
    others = _read_arrays(Path(folder) / "companions.npz", "file of networks", "Restore it or start afresh.")
    targets = [(network, weights) for network in (model.monet_generator, model.averaged_generator) if network]
    for name in COMPANIONS:
        found = [others[k].astype("float32") for k in sorted(others) if k.startswith(name)]
        network = getattr(model, name)
        if network and name.endswith("discriminator") and len(found) != len(network.weights):
            # Trained without a feature discriminator, say, or with another norm.
            print(f"{folder}: no {name} of the config's kind; it starts afresh")
        elif network:
            targets.append((network, found))
    for network, found in targets:
        if [w.shape for w in found] != [w.shape for w in network.get_weights()]:
            raise UserError(
                f"{folder}: its {network.name} is another network than the config's. Set the networks as they were "
                "trained: checkpoints.load_generator gives the config."
            )
    for network, found in targets:
        network.set_weights(found)


def _coarse(weights):
    """Rounded to 6 significant bits, by at most a 64th of each: float16 then compresses to less than 9 bits."""
    fraction, exponent = np.frexp(weights)
    return np.ldexp(np.rint(fraction * 64) / 64, exponent).astype(weights.dtype)


def _save_arrays(path, arrays, half):
    if half:
        arrays = {k: v.astype("float16") if v.dtype == np.float32 else v for k, v in arrays.items()}
    save = np.savez_compressed if half else np.savez

    def write(file):
        with open(file, "wb") as stream:
            save(stream, **arrays)

    write_beside(Path(path), write)


def _read_arrays(path, what, otherwise):
    """{name: array} of a .npz, all of it read, which compares its checksums. Raises UserError for others."""
    with reading(path, what, otherwise):
        with open(path, "rb") as file:
            if kind := disguised(file.read(64)):
                raise UserError(f"{path}: {kind}. {otherwise}")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}


def load_generator(path: str | Path) -> tuple[keras.Model, Config]:
    """(generator, Config) from the file that `save_generator` wrote: it paints with its config's border.

    Raises UserError for any other file.
    """
    what, otherwise = "generator file", "Train again or restore it."
    if not Path(path).exists():
        raise UserError(f"{path}: no such file. Train first: monet train --out RUN.")
    arrays = _read_arrays(path, what, otherwise)
    with reading(path, what, otherwise):
        try:
            config = Config().with_(**json.loads(str(arrays.pop("config"))))
        except UserError as error:
            raise UserError(f"{path}: {error} {otherwise}") from None
        generator = generator_of(config)
        generator.set_weights([arrays[k].astype("float32") for k in sorted(arrays)])
    return with_border(generator, config.border), config

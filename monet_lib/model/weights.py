"""Trained networks as files: arrays without pickles, with the Config that builds the networks they belong to."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from monet_lib.config import Config
from monet_lib.files import UserError, disguised, opened, reading, refuse_bomb, write_beside
from monet_lib.model.layers import keras_defaults
from monet_lib.model.networks import generator_of, with_border

COMPANIONS = ("photo_generator", "monet_discriminator", "photo_discriminator", "feature_discriminator")
RESTORE = "Train again or restore it."


def save_generator(path: str | Path, generator: keras.Model, config: Config, half: bool = False) -> None:
    """Write a generator's weights and the Config that built it as one .npz without pickles; as float16 if `half`."""
    weights = {f"w{k:03d}": w for k, w in enumerate(generator.get_weights())}
    save_arrays(path, {"config": np.array(json.dumps(config.settings()))} | weights, half)


def load_generator(path: str | Path) -> tuple[keras.Model, Config]:
    """(generator, Config) from a file that `save_generator` wrote. The generator paints with its config's border.

    Raises UserError for any other file.
    """
    if not Path(path).exists():
        raise UserError(f"{path}: no such file. Train first: monet train --out RUN.")
    arrays = load_arrays(path, "generator file")
    with reading(path, "generator file", RESTORE):
        settings = json.loads(str(arrays.pop("config", None)))
        if not isinstance(settings, dict):
            raise ValueError("no settings in it")
    try:
        config = Config.from_saved(settings)
    except UserError as error:
        raise UserError(f"{path}: {error} {RESTORE}") from None
    with keras_defaults():
        generator = generator_of(config)
    set_weights(generator, [arrays[k] for k in sorted(arrays)], path)
    return with_border(generator, config.border), config


def save_networks(folder: str | Path, model: keras.Model, config: Config, half: bool = False) -> None:
    """Write a CycleGAN without its optimizers, for `load_networks`: monet.npz, which paints, and companions.npz.

    half: as float16, the companions coarsely rounded, see `coarse`: training on restores the lost precision.
    """
    save_generator(Path(folder) / "monet.npz", model.painter, config, half)
    networks = {name: getattr(model, name) for name in COMPANIONS if getattr(model, name) is not None}
    others = {f"{name}-{k:03d}": w for name, part in networks.items() for k, w in enumerate(part.get_weights())}
    if half:
        others = {name: coarse(w) for name, w in others.items()}
    save_arrays(Path(folder) / "companions.npz", others, half)


def load_networks(folder: str | Path, model: keras.Model) -> None:
    """Put the weights that `save_networks` wrote into a CycleGAN of the same networks. Raises UserError for others.

    A discriminator of another kind, with another norm or on features, keeps its fresh weights, which is printed.
    """
    weights = load_generator(Path(folder) / "monet.npz")[0].get_weights()
    others = load_arrays(Path(folder) / "companions.npz", "file of networks")
    targets = [(network, weights) for network in (model.monet_generator, model.averaged_generator) if network]
    for name in COMPANIONS:
        found = [others[k] for k in sorted(others) if k.startswith(name)]
        network = getattr(model, name)
        if network and name.endswith("discriminator") and len(found) != len(network.weights):
            # Trained without a feature discriminator, say, or with another norm.
            print(f"{folder}: no {name} of the config's kind; it starts afresh")
        elif network:
            targets.append((network, found))
    for network, found in targets:
        check_shapes(network, found, folder)
    for network, found in targets:
        set_weights(network, found, folder)


def set_weights(network: keras.Model, arrays: list[np.ndarray], where: str | Path) -> None:
    """Give a network its weights, as float32. Raises UserError, beginning with `where`, for another network's."""
    check_shapes(network, arrays, where)
    network.set_weights([w.astype("float32") for w in arrays])


def check_shapes(network: keras.Model, arrays: list[np.ndarray], where: str | Path) -> None:
    """Raise UserError, beginning with `where`, where the arrays are not shaped as the network's weights."""
    if [w.shape for w in arrays] != [w.shape for w in network.weights]:
        raise UserError(
            f"{where}: the weights of {network.name} are of another network than the config describes. Set the "
            "networks as they were trained: monet_lib.model.load_generator gives their config."
        )


def save_arrays(path: str | Path, arrays: dict[str, np.ndarray], half: bool) -> None:
    """Write {name: array} as .npz; if `half`, compressed, and float32 as float16."""
    if half:
        arrays = {k: v.astype("float16") if v.dtype == np.float32 else v for k, v in arrays.items()}
    save: Any = np.savez_compressed if half else np.savez

    def write(file):
        with open(file, "wb") as stream:
            save(stream, **arrays)

    write_beside(Path(path), write)


def load_arrays(path: str | Path, what: str) -> dict[str, np.ndarray]:
    """{name: array} of a .npz, all of it read, which compares its checksums. Raises UserError for other files."""
    with reading(path, what, RESTORE), opened(path) as file:
        start = file.peek(64)
        if kind := disguised(start):
            raise UserError(f"{path}: {kind}. {RESTORE}")
        if not start.startswith(b"PK"):  # NumPy would take it for a pickle
            raise ValueError("no .npz")
        with np.load(file, allow_pickle=False) as arrays:
            refuse_bomb(Path(path), arrays.zip.infolist())
            return {name: arrays[name] for name in arrays.files}


def coarse(weights: np.ndarray) -> np.ndarray:
    """Rounded to multiples of a power of two, a sixth to a twelfth of their spread: compresses to 7 bits."""
    spread = weights.std()
    if not spread:
        return weights
    step = 2.0 ** np.floor(np.log2(spread / 6))
    return (np.rint(weights / step) * step).astype(weights.dtype)

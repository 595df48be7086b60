"""Run what depends on arithmetic as other processors would: python tests/machines.py [PYTEST ARGUMENT ...].

An environment variable tells each library under TensorFlow and NumPy to leave instructions unused that this processor
has, and so to sum in another order. A face of the machine is a set of such variables. TensorFlow's own kernels need
AVX, on every machine.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
# Modules whose assertions compare numbers that were summed, and one lesson that trains, scores and compares.
TESTS = ["augment", "compatibility", "cyclegan", "data", "dcgan", "feature_discriminator", "features", "guards",
         "layers", "lesson_eda", "lesson_tools", "losses", "metrics", "models", "pipeline", "scoring", "skies",
         "translation"]  # fmt: skip
# Beside them, what is promised bit for bit on one machine, and the way from training to a submission and its score.
WAYS = [["training", "-k", "resumes_exactly"], ["cli", "-k", "whole_way or ascii"]]


def threads(number):
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return dict.fromkeys(names, str(number))


def numpys_own():
    """The instruction sets beyond its least that NumPy found on this processor, as it wants them listed."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(found)} if found else {}


FACES = {
    "AVX2, as most laptops": {"ONEDNN_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell", **threads(2)},
    "SSE4.1 under oneDNN": {"ONEDNN_MAX_CPU_ISA": "SSE41", "OPENBLAS_CORETYPE": "Sandybridge", **threads(1)},
    "no oneDNN, two threads": {"TF_ENABLE_ONEDNN_OPTS": "0", "OPENBLAS_CORETYPE": "Haswell", **threads(2)},
    "the lowest": {"TF_ENABLE_ONEDNN_OPTS": "0", "ONEDNN_MAX_CPU_ISA": "SSE41", "OPENBLAS_CORETYPE": "Nehalem",
                   **numpys_own(), **threads(1)},
}  # fmt: skip


def main(arguments):
    failed = []
    ways = [[*map(module, TESTS)], *([module(name), *chosen] for name, *chosen in WAYS)]
    for name, face in FACES.items():
        print(f"\n{name}: {' '.join(f'{k}={v!r}' for k, v in face.items())}", flush=True)
        for run in [arguments] if arguments else ways:
            pytest = [sys.executable, "-m", "pytest", "-q", "--no-header", *run]
            if subprocess.run(pytest, env={**os.environ, **face}, cwd=ROOT).returncode:
                failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else f"{len(FACES)} faces: all passed")
    return bool(failed)


def module(name):
    return str(ROOT / "tests" / f"test_{name}.py")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

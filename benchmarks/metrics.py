"""Time and peak memory of the metrics at the competition's size, against SciPy's matrix square root.

    python benchmarks/metrics.py [--skip-scipy]

7,038 generated images, 300 real ones, 2,048 features, as in the full data set. Each measurement is a process of its
own; its peak memory includes Python, NumPy and the features. SciPy goes through a singular 2,048 x 2,048 product.
"""

import argparse
import multiprocessing
import resource
import time

import numpy as np

GENERATED, REAL, WIDTH = 7038, 300, 2048


def features(count, seed):
    """(count, WIDTH) float32 like pooled features: not negative, correlated."""
    rng = np.random.default_rng([7, seed])
    mixing = np.random.default_rng(7).normal(0, WIDTH**-0.5, (WIDTH, WIDTH))
    return np.maximum(rng.normal(0.2, 1, (count, WIDTH)) @ mixing + 0.1 * seed, 0).astype(np.float32)


def sqrtm_distance(generated, real):
    from scipy.linalg import sqrtm

    g, r = generated.astype(np.float64), real.astype(np.float64)
    cg, cr = np.cov(g, rowvar=False), np.cov(r, rowvar=False)
    root = sqrtm(cg @ cr)
    return np.sum((g.mean(0) - r.mean(0)) ** 2) + np.trace(cg) + np.trace(cr) - 2 * np.trace(root.real)


def measure(name, queue):
    from monet_lib.score import metrics

    functions = {
        "frechet_distance": metrics.frechet_distance,
        "frechet_distance by SciPy's sqrtm": sqrtm_distance,
        "kernel_distance": metrics.kernel_distance,
        "memorization_distance": metrics.memorization_distance,
    }
    pair = features(GENERATED, 1), features(REAL, 2)
    began = time.perf_counter()
    result = functions[name](*pair)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    queue.put((time.perf_counter() - began, peak, result))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--skip-scipy", action="store_true", help="leave out the slow comparison")
    names = ["frechet_distance", "kernel_distance", "memorization_distance"]
    names += [] if parser.parse_args().skip_scipy else ["frechet_distance by SciPy's sqrtm"]
    print(f"{GENERATED:,} generated and {REAL} real images, {WIDTH:,} features")
    context, seconds = multiprocessing.get_context("spawn"), {}
    for name in names:
        queue = context.Queue()
        process = context.Process(target=measure, args=(name, queue))
        process.start()
        seconds[name], peak, result = queue.get()
        process.join()
        print(f"{name:35} {seconds[name]:7.2f} s   peak {peak:5.0f} MB   {np.round(result, 6)}", flush=True)
    if len(names) > 3:
        print(f"SciPy takes {seconds[names[-1]] / seconds[names[0]]:.0f} times as long as frechet_distance")


if __name__ == "__main__":
    main()

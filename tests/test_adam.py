import keras
import numpy as np
import tensorflow as tf

from monet_lib.gan.adam import FusedAdam
from monet_lib.gan.builder import ConstantThenLinear


def test_the_fused_kernel_takes_kerass_steps():
    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape).astype("float32") for shape in ((3, 3, 4, 8), (8,))]
    gradients = [[tf.constant(rng.normal(size=w.shape), tf.float32) for w in start] for _ in range(6)]
    results = []
    for kind in (keras.optimizers.Adam, FusedAdam):
        variables = [keras.Variable(w) for w in start]
        optimizer = kind(ConstantThenLinear(0.1, 2, 6), 0.5)
        optimizer.build(variables)
        for gradient in gradients:
            optimizer.apply(gradient, variables)
        results.append([v.numpy() for v in variables])
    assert np.abs(results[0][0] - start[0]).max() > 0.1
    for expected, got in zip(*results, strict=True):
        # A step is 0.1 here; the kernel computes 1 - beta_2 in float32, which keeps four digits of it.
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)

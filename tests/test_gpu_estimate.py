"""The convolutions that the estimate counts are those that the networks have."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import gpu_estimate

from monet_lib.model.discriminators import patch_discriminator
from monet_lib.model.generators import resnet_generator


def weights(network):
    return sum(k * k * i * o + o for k, i, o, _ in network)


def test_the_convolutions_counted_are_the_networks():
    assert weights(gpu_estimate.resnet(8, 2)) == resnet_generator(8, 2, norm="none", upsample="resize").count_params()
    filters = (8, 16, 32, 64)
    assert weights(gpu_estimate.patch(8)) == patch_discriminator(filters, norm="none").count_params()


def test_one_convolution_by_hand():
    assert gpu_estimate.flops([(3, 2, 5, 4)]) == 2 * 9 * 2 * 5 * 16

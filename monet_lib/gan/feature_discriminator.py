"""A discriminator that looks at ImageNet features, not at pixels: Projected GANs, Sauer et al. 2021.

It builds on what a frozen network has learnt of textures and objects, which a PatchGAN needs hours to learn.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from monet_lib.gan.losses import discriminator_loss, generator_loss
from monet_lib.networks.imagenet import MAP_CHANNELS, STRIDES, feature_maps
from monet_lib.networks.spectral import SpectralConv2D

MIXED_CHANNELS = 64
# The maps' root mean squares on paintings: divided by them, all four reach the heads at one size.
MAP_SIZES = (7.8, 6.2, 4.9, 2.3)


class FeatureDiscriminator(keras.Model):
    """Frozen feature maps at four strides, a fixed random mixture of each one's channels, and a small head on each.

    call: the four mixed maps of `project` to a list of four maps of logits, (batch, h, w, 1) float32, high for "real".
    Only the heads have weights, all trainable; the mixtures are drawn from `seed`. Without the mixtures a head could
    rely on the few channels that differ most (Sauer et al. 2021, 3.2).
    """

    def __init__(self, channels: int = MIXED_CHANNELS, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels, self.seed = channels, seed
        rng = np.random.default_rng([seed, 5])
        self._mixtures = [
            rng.normal(0, 1 / (size * count**0.5), (count, channels)).astype("float32")
            for count, size in zip(MAP_CHANNELS, MAP_SIZES, strict=True)
        ]
        self.heads = [_head(channels, f"stride_{stride}") for stride in STRIDES]
        for head in self.heads:
            head.build((None, None, None, channels))
        self.built = True

    def project(self, images: Any) -> list[Any]:
        """Images (batch, h, w, 3) in [-1, 1] to four maps (batch, h / stride, w / stride, channels)."""
        maps = feature_maps(ops.cast(images, self.compute_dtype))
        return [ops.matmul(x, ops.cast(m, x.dtype)) for x, m in zip(maps, self._mixtures, strict=True)]

    def call(self, maps: list[Any]) -> list[Any]:
        return [head(x) for head, x in zip(self.heads, maps, strict=True)]

    def generator_loss(self, fake_maps: list[Any]) -> Any:
        """The generator's hinge loss, mean over the heads; `fake_maps` of `project`."""
        return sum(generator_loss(x, "hinge") for x in self(fake_maps)) / len(self.heads)

    def discriminator_loss(self, real_maps: list[Any], fake_maps: list[Any]) -> Any:
        """The heads' own hinge loss, mean over them. No gradient goes back into the maps."""
        count = real_maps[0].shape[0]
        both = [ops.stop_gradient(ops.concatenate(pair)) for pair in zip(real_maps, fake_maps, strict=True)]
        losses = [discriminator_loss(x[:count], x[count:], "hinge") for x in self(both)]
        return sum(losses) / len(losses)


def _head(channels, name):
    head = keras.Sequential(name=name)
    for stride in (2, 1):
        head.add(SpectralConv2D(channels, 3, stride, "same"))
        head.add(layers.LeakyReLU(0.2))
    head.add(SpectralConv2D(1, 3, 1, "same"))
    head.add(layers.Activation("linear", dtype="float32"))
    return head

"""The networks, their losses and the training step. Images are (batch, height, width, 3), float in [-1, 1]."""

from monet_lib.model.augment import diff_augment
from monet_lib.model.cyclegan import CycleGAN, build
from monet_lib.model.dcgan import DCGAN
from monet_lib.model.layers import ReflectionPadding2D, ResidualBlock, downsample, normalization, upsample
from monet_lib.model.losses import bce, cycle_loss, discriminator_loss, generator_loss, identity_loss, least_squares
from monet_lib.model.networks import (
    FeatureDiscriminator,
    dcgan_discriminator,
    dcgan_generator,
    discriminator_of,
    generator_of,
    patch_discriminator,
    receptive_field,
    resnet_generator,
    unet_generator,
    with_border,
)
from monet_lib.model.state import ConstantThenLinear, ImagePool
from monet_lib.model.weights import load_generator, load_networks, save_generator, save_networks

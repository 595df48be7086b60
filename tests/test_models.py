"""Parameter counts are derived by hand here: sums over the layers that the papers list."""

import keras
import numpy as np
import pytest

from monet_lib.model.layers import normalization
from monet_lib.model.networks import (
    dcgan_discriminator,
    dcgan_generator,
    discriminator_of,
    generator_of,
    patch_discriminator,
    resnet_generator,
    unet_generator,
    with_border,
)
from monet_lib.recipes import PROFILES, profile

S1_DOWN = [64, 128, 128, 128, 128, 256, 256, 256]
S1_UP = [256, 256, 256, 256, 128, 128, 64]


def uniform(*shape):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")


def conv(size, inputs, filters, bias):
    return size * size * inputs * filters + (filters if bias else 0)


def unet_count(down, up, norm_weights):
    """Encoder steps (first and last without norm but with bias), decoder steps, the last convolution to 3 channels."""
    total, channels = 0, 3
    for level, f in enumerate(down):
        plain = level in (0, len(down) - 1)
        total += conv(4, channels, f, plain) + (0 if plain else norm_weights * f)
        channels = f
    for f, skip in zip(up, reversed(down[:-1]), strict=True):
        total += conv(4, channels, f, False) + norm_weights * f
        channels = f + skip
    return total + conv(4, channels, 3, True)


def resnet_count(k, blocks, normed=True):
    """Every convolution but the last has a norm's scale and shift, or without norms a bias."""

    def block(size, inputs, filters):
        return conv(size, inputs, filters, not normed) + (2 * filters if normed else 0)

    total = block(7, 3, k) + block(3, k, 2 * k) + block(3, 2 * k, 4 * k)
    total += blocks * 2 * block(3, 4 * k, 4 * k)
    total += block(3, 4 * k, 2 * k) + block(3, 2 * k, k)
    return total + conv(7, k, 3, True)


@pytest.mark.parametrize("how", ["transpose", "resize"])
def test_the_resnet_has_the_papers_parameters(how):
    assert resnet_generator(upsample=how).count_params() == resnet_count(64, 9) == 11_383_427
    assert resnet_generator(32, 6, upsample=how).count_params() == resnet_count(32, 6)


def test_the_unets_have_the_sources_parameters():
    full = [64, 128, 256, 512, 512, 512, 512, 512]
    assert unet_generator().count_params() == unet_count(full, full[-2::-1], 2)
    first = unet_generator(S1_DOWN, S1_UP, norm="batch", dropout=0.7)
    assert first.count_params() == unet_count(S1_DOWN, S1_UP, 4)


def test_the_patchgan_has_the_papers_parameters():
    count = conv(4, 3, 64, True) + conv(4, 64, 128, False) + conv(4, 128, 256, False) + conv(4, 256, 512, False)
    count += conv(4, 512, 1, True)
    assert patch_discriminator(norm="instance").count_params() == count + 2 * (128 + 256 + 512)
    # S1 gives its one stride-1 convolution batch norm, S4 every one but the first instance norm.
    assert patch_discriminator(norm="batch").count_params() == count + 4 * (128 + 256 + 512)


@pytest.mark.parametrize(("size", "answers"), [(256, 30), (128, 14), (64, 6)])
def test_patch_answers(size, answers):
    logits = patch_discriminator((2, 2, 2, 2), heads=2)(np.zeros((1, size, size, 3), "float32"))
    assert logits.shape == (1, answers, answers, 2)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (37, 50), (33, 70)])
@pytest.mark.parametrize("build", [lambda: resnet_generator(2, 1), lambda: unet_generator([2, 4, 8])])
def test_generators_keep_any_size_and_stay_in_range(build, height, width):
    x = uniform(2, height, width, 3)
    y = keras.ops.convert_to_numpy(build()(x))
    assert y.shape == x.shape
    assert np.abs(y).max() <= 1
    assert y.std() > 0


def test_the_innermost_step_of_a_unet_is_alive():
    """Instance norm on its 1x1 map would answer 0, and the bottleneck would carry nothing."""
    # x / spread - mean / spread: both are near 1,000 here, and what is left of 0 is their rounding.
    one_pixel = normalization("instance", 2)(np.array([[[[3.0, -5.0]]]], "float32"))
    np.testing.assert_allclose(one_pixel, 0, atol=1e-3)
    model = unet_generator([4, 4, 4, 4])
    inner = keras.Model(model.input, model.layers[4].output)
    found = keras.ops.convert_to_numpy(inner(uniform(1, 16, 16, 3)))
    assert found.shape == (1, 1, 1, 4)
    assert np.abs(found).max() > 1e-4


def test_skip_connections_carry_the_input():
    """With the decoder's deep path cut off, the output still depends on the input: through the skips."""
    model = unet_generator([4, 8, 8], dropout=0.0)
    innermost = model.layers[3]
    innermost.set_weights([np.zeros_like(w) for w in innermost.get_weights()])
    y = keras.ops.convert_to_numpy(model(uniform(2, 8, 8, 3)))
    assert np.abs(y[0] - y[1]).max() > 1e-5


@pytest.mark.parametrize("size", [8, 32, 256])
def test_a_dcgan_has_the_size_that_is_asked_for(size):
    generator, discriminator = dcgan_generator(8, size, filters=32), dcgan_discriminator(size, filters=4)
    z = np.random.default_rng(0).normal(size=(2, 8)).astype("float32")
    images = generator(z)
    assert images.shape == (2, size, size, 3)
    assert np.abs(images).max() <= 1
    assert discriminator(images).shape == (2, 1)
    with pytest.raises(ValueError, match="image_size must be 8, 16, 32"):
        dcgan_generator(8, size + 4)


def test_the_dcgan_has_the_parameters_of_its_layers():
    generator = dcgan_generator(100, 16, filters=32)
    dense, first, last = 100 * 4 * 4 * 32 + 4 * 32, conv(4, 32, 16, False) + 4 * 16, conv(4, 16, 3, True)
    assert generator.count_params() == dense + first + last
    discriminator = dcgan_discriminator(16, filters=4)
    assert discriminator.count_params() == conv(4, 3, 4, True) + conv(4, 4, 8, True) + 4 * 4 * 8 + 1


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_describe_networks(name):
    config = profile(name)
    k = config.generator_filters
    if config.model == "resnet":
        count = resnet_count(k, config.residual_blocks, config.norm != "none")
        assert generator_of(config).count_params() == count
    else:
        down = [k * min(8, 2**level) for level in range(config.unet_depth)]
        assert generator_of(config).count_params() == unet_count(down, down[-2::-1], 2)
    assert discriminator_of(config).output_shape[-1] == 1
    assert discriminator_of(config.with_(adversarial="hinge,bce")).output_shape[-1] == 2


def test_outputs_are_float32_under_mixed_precision():
    outside = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        networks = [unet_generator([2, 4]), resnet_generator(2, 1), patch_discriminator((2, 2, 2, 2))]
    finally:
        keras.config.set_dtype_policy(outside)
    for network in networks:
        assert network.output.dtype == "float32"
        assert network.trainable_variables[0].dtype == "float32"
        assert network.layers[1].compute_dtype == "bfloat16"


def test_a_border_is_painted_along_and_thrown_away():
    images = uniform(2, 32, 44, 3)
    generator = resnet_generator(4, 1, norm="none", upsample="resize")
    wide = np.pad(images, ((0, 0), (24, 24), (24, 24), (0, 0)), "reflect")
    painted = with_border(generator, 24)(images).numpy()
    np.testing.assert_allclose(painted, generator(wide).numpy()[:, 24:-24, 24:-24], atol=1e-5)
    assert np.abs(painted - generator(images).numpy())[:, :, -1].max() > 1e-3
    assert with_border(generator, 0) is generator


def test_the_discriminators_norm_can_differ():
    config = profile("tiny", norm="group", discriminator_norm="none")
    plain = discriminator_of(config.with_(norm="none"))
    assert discriminator_of(config).count_params() == plain.count_params()
    assert discriminator_of(config.with_(discriminator_norm="")).count_params() != plain.count_params()


def test_a_residual_output_begins_with_the_photo_and_without_norms_the_signal_keeps_its_size():
    plain = {"norm": "group", "upsample": "resize"}
    assert resnet_generator(4, 1, **plain, residual_output=True).count_params() == resnet_count(4, 1)
    keras.utils.set_random_seed(0)
    generator = resnet_generator(8, 6, norm="none", upsample="resize", residual_output=True)
    photo = uniform(1, 61, 50, 3)
    np.testing.assert_allclose(generator(photo), 0.98 * photo, atol=1e-5)
    assert not generator.layers[-3].kernel.numpy().any()
    before_the_last = keras.Model(generator.input, generator.layers[-3].input)(photo)
    assert 0.3 < np.std(before_the_last) < 3

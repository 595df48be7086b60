"""The losses: pure functions of tensors, each a float32 scalar. Weights (lambda) belong to the place that sums them.

Logits are raw discriminator outputs, high for "real", of any shape; images are (batch, height, width, 3) in [-1, 1].
"""

from typing import Any

from keras import ops


def bce(logits: Any, target: float) -> Any:
    """Mean binary cross-entropy of logits against a target probability (Goodfellow et al. 2014, eq. 1).

    Stable for any logit: max(x, 0) - x * target + log(1 + exp(-|x|)).
    """
    x = ops.cast(logits, "float32")
    return ops.mean(ops.maximum(x, 0.0) - x * target + ops.log1p(ops.exp(-ops.abs(x))))


def least_squares(logits: Any, target: float) -> Any:
    """Mean squared distance of the outputs, taken as they are, from the target (Mao et al. 2017, eq. 2)."""
    return ops.mean(ops.square(ops.cast(logits, "float32") - target))


def discriminator_loss(real_logits: Any, fake_logits: Any, kind: str = "least_squares", real_label: float = 1.0) -> Any:
    """How badly real and fake are distinguished: half the sum of both sides (Zhu et al. 2017, section 4).

    kind: "bce", "least_squares" or "hinge" (Lim & Ye 2017: real above 1, fake below -1, and no gradient beyond).
    real_label: below 1 smooths the real side only (Salimans et al. 2016, 3.4); hinge has no label and ignores it.
    """
    if kind == "hinge":
        real, fake = ops.cast(real_logits, "float32"), ops.cast(fake_logits, "float32")
        return 0.5 * (ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake)))
    loss = _label_loss(kind)
    return 0.5 * (loss(real_logits, real_label) + loss(fake_logits, 0.0))


def generator_loss(fake_logits: Any, kind: str = "least_squares") -> Any:
    """How far the fakes are from passing for real: the non-saturating form, target 1; for hinge -mean(logits)."""
    if kind == "hinge":
        return -ops.mean(ops.cast(fake_logits, "float32"))
    return _label_loss(kind)(fake_logits, 1.0)


def cycle_loss(real: Any, cycled: Any) -> Any:
    """Mean absolute error between an image and its round trip (Zhu et al. 2017, eq. 2, without lambda). In [0, 2]."""
    return _mean_absolute(real, cycled)


def identity_loss(real: Any, same: Any) -> Any:
    """Mean absolute error between an image and its generator's answer to an image already in its target domain.

    Zhu et al. 2017, 5.2: G makes Monets, so G(monet) should be that monet. In [0, 2]. Feeding G(photo) here instead
    would ask the generator not to paint.
    """
    return _mean_absolute(real, same)


def tone_loss(photo: Any, painted: Any, square: int = 16, free: tuple[float, float] = (0.25, 0.05)) -> Any:
    """How far a painting's tones leave the photo's, compared in squares of `square` px: a scalar, 0 or more.

    A square may change its mean colour by up to free[0] and gain up to free[1] of standard deviation without cost: an
    eighth and a fortieth of the range, enough to lighten a shadow and to show strokes in a sky. The loss is the mean of
    what exceeds these limits. Without it nothing forbids the generator to turn night into day, or to fill a night with
    dots, from which the way back reads the night (Chu et al. 2017). Both images are (batch, h, w, 3); pixels at the
    right and lower edge that fill no square are ignored.
    """
    (mean, spread), (new_mean, new_spread) = (_by_squares(x, square) for x in (photo, painted))
    shift = ops.relu(ops.abs(new_mean - mean) - free[0])
    return ops.mean(shift) + ops.mean(ops.relu(new_spread - spread - free[1]))


def color_moments(images: Any) -> Any:
    """What the colours of a batch are like, whatever their places: nine numbers, float32.

    The means of red, green and blue, then the means of the products RR, RG, RB, GG, GB, BB over all pixels of
    (batch, h, w, 3) in [-1, 1]. Two sets of images that agree in them agree in mean, spread and correlation of colours.
    """
    x = ops.reshape(ops.cast(images, "float32"), (-1, 3))
    products = ops.matmul(ops.transpose(x), x) / ops.shape(x)[0]
    return ops.concatenate([ops.mean(x, 0), ops.take(ops.reshape(products, (9,)), [0, 1, 2, 4, 5, 8])])


def r1_penalty(gradients: Any) -> Any:
    """Mean over the batch of the squared norm of d logits / d real images (Mescheder et al. 2018, eq. 9).

    gradients: (batch, h, w, 3).
    """
    return ops.mean(ops.sum(ops.square(ops.cast(gradients, "float32")), axis=(1, 2, 3)))


def _by_squares(images, square):
    """Mean and standard deviation of each colour in each square: two (batch, h // square, w // square, 3)."""
    average = lambda x: ops.average_pool(x, square, square, "valid", data_format="channels_last")  # noqa: E731
    x = ops.cast(images, "float32")
    mean = average(x)
    # Not exactly zero, where a root has no slope.
    return mean, ops.sqrt(ops.maximum(average(ops.square(x)) - ops.square(mean), 1e-6))


def _label_loss(kind):
    if kind not in ("bce", "least_squares"):
        raise ValueError(f"adversarial loss {kind!r} is unknown. Use 'bce', 'least_squares' or 'hinge'.")
    return {"bce": bce, "least_squares": least_squares}[kind]


def _mean_absolute(a, b):
    return ops.mean(ops.abs(ops.cast(a, "float32") - ops.cast(b, "float32")))

"""The game between generators and discriminators: losses, augmentation, the image pool, and one training step.

`CycleGAN` and `DCGAN` are `keras.Model`s; `build` makes a CycleGAN from a Config. Nothing here knows a file.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "augment": ["diff_augment", "five_fold"],
        "builder": ["ConstantThenLinear", "build"],
        "cyclegan": ["CycleGAN"],
        "dcgan": ["DCGAN"],
        "losses": ["bce", "cycle_loss", "discriminator_loss", "generator_loss", "identity_loss", "least_squares"],
        "pool": ["ImagePool"],
    },
)

"""The networks, in Keras alone: layers, U-Net and ResNet generators, PatchGAN and DCGAN discriminators, their files.

Images are (batch, height, width, 3) in [-1, 1]. Nothing here knows a loss; `weights` saves and loads what was trained.
"""

import keras
import lazy_loader

# Everything here is written for channels last, and chooses 16 bits itself: keras.json may ask for other things.
keras.config.set_image_data_format("channels_last")
keras.config.set_floatx("float32")

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "discriminators": ["dcgan_discriminator", "discriminator_of", "patch_discriminator", "receptive_field"],
        "generators": ["dcgan_generator", "generator_of", "resnet_generator", "unet_generator", "with_border"],
        "layers": ["ReflectionPadding2D", "ResidualBlock", "downsample", "upsample"],
        "norms": ["normalization"],
        "weights": ["load_generator", "load_networks", "save_generator", "save_networks"],
    },
)

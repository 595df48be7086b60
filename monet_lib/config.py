"""Every setting of a training run, in one frozen dataclass. The values that work together are in `recipes`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from monet_lib.files import UserError


@dataclass(frozen=True)
class Config:
    """All that decides what a run computes. Two runs with equal configs and data give equal weights on one machine.

    On another machine sums are rounded in another way, and `precision` "auto" may choose another precision.
    """

    profile: str = "laptop"
    model: str = "resnet"  # the generator: "resnet" or "unet"
    seed: int = 0

    # Images: a random square of `crop` px is cut from each 256 px image and resized to `image_size` px.
    image_size: int = 128
    crop: int = 128
    flip: bool = True  # half of the crops are mirrored
    rotate: bool = False  # crops are turned by 0, 90, 180 or 270 degrees
    batch_size: int = 1  # global: shared out among the devices
    epochs: int = 4  # one epoch is one pass over the larger set, the photos
    steps: int = 0  # training steps; 0: as many as `epochs` make
    holdout_monets: int = 0  # paintings kept out of training, to score against
    holdout_photos: int = 0  # photos kept out of training, to paint and score

    # Networks
    generator_filters: int = 32
    residual_blocks: int = 6  # ResNet
    unet_depth: int = 7  # U-Net: halvings; 2 ** depth must not exceed image_size
    unet_dropout: float = 0.5
    upsample: str = "resize"  # or "transpose", which tends to draw checkerboards
    discriminator_filters: int = 32
    residual_output: bool = False  # ResNet: the last layer gives a change to the photo, not a new image
    border: int = 0  # px of reflection that painting adds around a photo and crops from the painting
    norm: str = "instance"  # or "group", "batch", "none"
    discriminator_norm: str = ""  # "": as the generators'; or "spectral", a limit on the weights
    start_from: str = ""  # folder of trained networks, such as models/, to start from; "": fresh weights

    # Losses
    adversarial: str = "least_squares"  # or "bce", "hinge"; "hinge,bce" gives the discriminators two heads
    real_label: float = 1.0  # below 1: one-sided label smoothing
    cycle_weight: float = 10.0
    identity_weight: float = 5.0
    tone_weight: float = 0.0  # keeps the photo's tones, square by square: see losses.tone_loss
    color_weight: float = 0.0  # holds the paintings' colours, over many steps, to Monet's: see state.RecentColors
    r1_weight: float = 0.0  # gradient penalty on real images
    feature_discriminator: float = 0.0  # its share of the Monet side's adversarial loss; 0: there is none
    diff_augment: str = ""  # comma list of color, translation, cutout: on what the discriminators see

    # Optimization
    generator_rate: float = 2e-4
    discriminator_rate: float = 2e-4
    beta_1: float = 0.5
    decay_from: float = 0.5  # share of training after which the learning rates fall linearly to zero
    fit_schedule: bool = False  # the rates reach zero when the time budget ends, not after all steps
    pool_size: int = 50  # fakes of earlier steps that each discriminator is also shown; 0: none
    ema: float = 0.999  # decay of the averaged generator, which does the painting; 0: there is none
    precision: str = "auto"  # the fastest here; or "float32", "mixed_bfloat16", "mixed_float16"

    # Housekeeping
    log_every: int = 10  # steps that one line of history.csv averages
    checkpoint_every: int = 500  # steps
    keep: int = 3  # newest checkpoints kept, beside the best
    validate_every: int = 0  # steps between scores on the images kept out; 0: never
    patience: int = 0  # scores without a better one after which training stops; 0: it doesn't stop
    features: str = "random-conv"  # the network that scores are computed with, see score.scoring.NETWORKS

    def with_(self, **changes: Any) -> "Config":
        """A copy with other values. Raises UserError for a name that is not a setting or a value out of range.

        `epochs` without `steps` also sets steps to 0: the length that was asked for last counts.
        """
        names = [f.name for f in fields(self)]
        for name in changes:
            if name not in names:
                raise UserError(f"config: no setting named {name!r}. The settings are {', '.join(names)}.")
        if "epochs" in changes:
            changes = {"steps": 0} | changes
        return replace(self, **changes)

    @classmethod
    def from_saved(cls, settings: Mapping[str, Any]) -> "Config":
        """The Config of settings that a run or a generator file holds, those of earlier versions included.

        A setting that was added later has its default. One that was removed is dropped where it had no effect. Raises
        UserError for anything else.
        """
        return cls().with_(**{name: value for name, value in settings.items() if REMOVED.get(name) != value})

    def __post_init__(self):
        if problem := next(self._problems(), None):
            raise UserError(f"config: {problem}")

    def _problems(self):
        """Yield what is wrong, the types first: all later checks rely on them."""
        for f in fields(self):
            value, kind = getattr(self, f.name), type(f.default)
            kinds = (int, float) if kind is float else (kind,)
            if not isinstance(value, kinds) or (isinstance(value, bool) and kind is not bool):
                yield f"{f.name} must be {kind.__name__}, got {value!r}."
        for name, allowed in CHOICES.items():
            if (value := getattr(self, name)) not in allowed:
                yield f"{name} {value!r} is unknown. Choose one of {', '.join(allowed)}."
        for name, (low, high) in RANGES.items():
            if not low <= (value := getattr(self, name)) <= high:
                yield f"{name} must be from {low} to {high}, got {value!r}."
        for step in filter(None, self.diff_augment.split(",")):
            if step not in ("color", "translation", "cutout"):
                yield f"diff_augment {step!r} is unknown. Use color,translation,cutout."
        if self.validate_every and min(self.holdout_monets, self.holdout_photos) < 2:
            yield "validate_every needs images to score with. Set holdout_monets and holdout_photos."
        if self.model == "unet" and self.image_size % 2**self.unet_depth:
            size = f"{2**self.unet_depth} px to 1, and image_size {self.image_size} is no multiple of that"
            yield f"a U-Net of depth {self.unet_depth} halves {size}. Lower unet_depth or change image_size."

    def settings(self) -> dict[str, Any]:
        """The settings as a plain dict, which `Config(**settings)` turns back."""
        return asdict(self)


REMOVED = {"identity_until": 0.0}  # settings of earlier versions, with the value that had no effect
CHOICES = {
    "model": ("resnet", "unet"),
    "upsample": ("resize", "transpose"),
    "norm": ("instance", "group", "batch", "none"),
    "discriminator_norm": ("", "instance", "group", "batch", "none", "spectral"),
    "adversarial": ("least_squares", "bce", "hinge", "hinge,bce"),
    "precision": ("auto", "float32", "mixed_bfloat16", "mixed_float16"),
}
RANGES = {
    "seed": (0, 2**28 - 1),  # eight streams of random numbers, each with a seed of 31 bits
    "image_size": (24, 4096), "crop": (16, 256), "batch_size": (1, 4096), "epochs": (1, 10**6),
    "steps": (0, 10**9), "log_every": (1, 10**6), "checkpoint_every": (1, 10**9), "keep": (1, 1000),
    "holdout_monets": (0, 10**6), "holdout_photos": (0, 10**6), "validate_every": (0, 10**9), "patience": (0, 10**6),
    "generator_filters": (1, 1024), "discriminator_filters": (1, 1024),
    "residual_blocks": (1, 64), "unet_depth": (2, 12), "unet_dropout": (0, 0.99), "border": (0, 64),
    "real_label": (0.5, 1), "decay_from": (0, 1), "pool_size": (0, 10**4),
    "ema": (0, 0.99999), "beta_1": (0, 0.999), "generator_rate": (0, 1), "discriminator_rate": (0, 1),
    "feature_discriminator": (0, 1), "cycle_weight": (0, 10**4), "identity_weight": (0, 10**4), "r1_weight": (0, 10**6),
    "tone_weight": (0, 10**4), "color_weight": (0, 10**4),
}  # fmt: skip

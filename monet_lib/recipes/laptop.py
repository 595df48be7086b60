"""Training on a CPU, from nothing and in one run: crops of 128 px at full resolution, networks for two cores.

Strokes are broad, and nights stay painted nights. After 5,000 steps (`--steps 5000`) two runs had a KID of 0.0154 and
0.0187 by EfficientNet-Lite0 (photos as they are 0.0866) and, by SqueezeNet, 0.27 and 0.32 of the photos' distance, on
500 photos kept out. It took 15 minutes on one core of an AMD EPYC with avx512_bf16 (0.17 s a step in bfloat16, 0.23 in
float32; on two cores 0.11 and 0.14, and 0.25 with ONEDNN_MAX_CPU_ISA=AVX2). Shown by

    monet train --profile laptop --steps 5000 --set holdout_photos=500 --set holdout_monets=30 --out runs/laptop
    python benchmarks/shipped.py --generator runs/laptop/generator.npz

Memory 1.75 GB, shown by `python benchmarks/training.py` with 2,816 photos on 2 cores of an Intel Xeon with avx512_bf16
and amx_bf16.
"""

from monet_lib.config import Config

RECIPE = Config(
    profile="laptop",
    generator_filters=16,  # a light network takes more steps in the same time
    norm="none",  # so that large photos are painted in tiles without seams
    border=24,  # the zero-padded halvings leave a strip at two edges; the border takes it away
    discriminator_norm="spectral",  # instance norm asked for strokes in bare skies, and the generator drew weaves there
    feature_discriminator=0.5,
    cycle_weight=2.0,  # the feature discriminator learns fast, so little has to hold the generator to the photo
    identity_weight=2.0,  # at 0.2 reds and greens drift to ochre and blue
    tone_weight=8.0,  # nights stay dark
    color_weight=10.0,  # the tint of all paintings stays Monet's: nothing else in the game holds it still
    diff_augment="translation",
    beta_1=0.0,
    decay_from=0.3,
    features="efficientnet-lite0",
)

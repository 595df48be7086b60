"""What a step of the submission notebook would take on a GPU, computed and not measured.

    python benchmarks/gpu_estimate.py

A step takes the longer of two times: arithmetic (FLOPs of the convolutions at a share of the card's peak) and memory
(activations written and read at a share of its bandwidth). The share of the float32 peak comes from the only published
figure, Keras' CycleGAN example on a P100 at 0.39 s an image. The shares for tensor cores and for the bandwidth are
assumptions. Prints a Markdown table.
"""

SIZE, BATCH, PHOTOS = 256, 8, 6838
FILTERS, BLOCKS, DISCRIMINATOR = 64, 9, 64
FLOAT32_SHARE, TENSOR_CORE_SHARE, BANDWIDTH_SHARE = 0.6, 0.3, 0.6
LITE0_FLOPS = 2 * 0.4e9 * (SIZE / 224) ** 2  # EfficientNet-Lite0, forward: 0.4 billion products at 224 px
# Peak of the arithmetic used (TFLOPS, dense), memory bandwidth (GB/s), bytes of an activation; vendors' data sheets.
CARDS = {
    "P100, float32": (9.3, 732, 4),
    "T4, float16": (65, 320, 2),
    "two T4, float16": (130, 640, 2),
    "L4, bfloat16": (121, 300, 2),
    "H100 (SXM), bfloat16": (989, 3350, 2),
}
# The cost of a step for each pair of images, in forward passes. A backward pass costs two of them where weights learn,
# and one where it only carries the gradient to the image.
GENERATOR_PASSES = 6 * 3  # translation, cycle and identity of either generator
DISCRIMINATOR_PASSES = 2 * 2 + 4 * 3  # fooled: two fakes; told apart: two real, two fake
LITE0_PASSES = 2 + 1  # of the fake with the gradient of the image, of the real
TOUCHES = 6  # times that an activation of a convolution is written or read, forward and backward


def resnet(filters=FILTERS, blocks=BLOCKS, size=SIZE):
    """The generator's convolutions: (kernel, channels in, channels out, side of the output)."""
    f, half, quarter = filters, size // 2, size // 4
    stem = [(7, 3, f, size), (3, f, 2 * f, half), (3, 2 * f, 4 * f, quarter)]
    body = [(3, 4 * f, 4 * f, quarter)] * (2 * blocks)
    return [*stem, *body, (3, 4 * f, 2 * f, half), (3, 2 * f, f, size), (7, f, 3, size)]


def patch(filters=DISCRIMINATOR, size=SIZE):
    """The convolutions of the 70x70 PatchGAN, in the same form."""
    d = filters
    return [(4, 3, d, size // 2), (4, d, 2 * d, size // 4), (4, 2 * d, 4 * d, size // 8),
            (4, 4 * d, 8 * d, size // 8 - 1), (4, 8 * d, 1, size // 8 - 2)]  # fmt: skip


def flops(network):
    """FLOPs of a forward pass of one image: two for each product that is summed."""
    return sum(2 * k * k * i * o * side * side for k, i, o, side in network)


def activations(network):
    """How many numbers the convolutions compute for one image."""
    return sum(o * side * side for _, _, o, side in network)


def step_flops(batch=BATCH):
    """FLOPs of one training step."""
    passes = (
        (GENERATOR_PASSES, flops(resnet())),
        (DISCRIMINATOR_PASSES, flops(patch())),
        (LITE0_PASSES, LITE0_FLOPS),
    )
    return batch * sum(count * each for count, each in passes)


def step_bytes(width, batch=BATCH):
    """Bytes that one training step writes and reads; `width`: bytes of a number."""
    numbers = 6 * activations(resnet()) + 6 * activations(patch())
    return batch * TOUCHES * width * numbers


def main():
    print(f"{step_flops() / 1e12:.1f} TFLOP a step: batch {BATCH}, {SIZE} px, {FILTERS} filters, {BLOCKS} blocks\n")
    print("| card, precision | arithmetic, s | memory, s | s a step | steps in 4 h | passes over the photos |")
    print("|---|---|---|---|---|---|")
    for card, (peak, bandwidth, width) in CARDS.items():
        share = FLOAT32_SHARE if width == 4 else TENSOR_CORE_SHARE
        arithmetic = step_flops() / (peak * 1e12 * share)
        memory = step_bytes(width) / (bandwidth * 1e9 * BANDWIDTH_SHARE)
        seconds = max(arithmetic, memory)
        steps = 4 * 3600 / seconds
        print(f"| {card} | {arithmetic:.2f} | {memory:.2f} | {seconds:.2f} | {steps:,.0f} | "
              f"{steps * BATCH / PHOTOS:.0f} |")  # fmt: skip


if __name__ == "__main__":
    main()

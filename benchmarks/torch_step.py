"""The networks of `benchmarks/step.py` and a CycleGAN step in PyTorch at its best, for step.py to run against.

Same layers, filters and losses as step.py's other variants (no feature discriminator and no spectral norm: the case's
networks have instance norm and BCE), and their passes joined as ours are: translation and identity in one call of a
generator, real and fake in one of a discriminator. One joint gradient for both generators, one for both discriminators,
PyTorch's fused Adam. Channels first or last, eager or by torch.compile: whichever of the ways is quickest here.

    python benchmarks/torch_step.py CASE PRECISION [WAY ...]   # prints the seconds of a step of each, and the quickest
"""

import itertools
import sys
import time

import torch
from torch import nn
from torch.nn import functional

FILTERS, BLOCKS, HALVINGS = 32, 6, 7


def norm(channels):
    return nn.InstanceNorm2d(channels, affine=True)


class SameUp(nn.Sequential):
    """Nearest-neighbour enlargement, a convolution that keeps the size (its padding one more below), norm, ReLU."""

    def __init__(self, given, filters, size, last=False):
        low, high = (size - 1) // 2, size // 2
        layers = [nn.Upsample(scale_factor=2), nn.ZeroPad2d((low, high, low, high))]
        layers += [nn.Conv2d(given, filters, size, bias=last)]
        super().__init__(*layers, *([] if last else [norm(filters), nn.ReLU()]))


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        half = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=False), norm(channels)]
        other = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=False), norm(channels)]
        self.path = nn.Sequential(*half, nn.ReLU(), *other)

    def forward(self, x):
        return x + self.path(x)


def resnet():
    f = FILTERS
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, f, 7, bias=False), norm(f), nn.ReLU()]
    for given in (f, 2 * f):
        layers += [nn.Conv2d(given, 2 * given, 3, 2, 1, bias=False), norm(2 * given), nn.ReLU()]
    layers += [Residual(4 * f) for _ in range(BLOCKS)]
    layers += [SameUp(4 * f, 2 * f, 3), SameUp(2 * f, f, 3)]
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(f, 3, 7), nn.Tanh())


def down(given, filters, normed=True):
    convolution = nn.Conv2d(given, filters, 4, 2, 1, bias=not normed)
    return nn.Sequential(convolution, *([norm(filters)] if normed else []), nn.LeakyReLU(0.2))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        filters = [FILTERS * min(8, 2**level) for level in range(HALVINGS)]
        given = [3, *filters[:-1]]
        self.downs = nn.ModuleList(
            down(g, f, k not in (0, HALVINGS - 1)) for k, (g, f) in enumerate(zip(given, filters, strict=True))
        )
        ups, below = [], filters[-1]
        for k, f in enumerate(reversed(filters[:-1])):
            up = SameUp(below, f, 4)
            if k < 3:
                up.insert(4, nn.Dropout(0.5))
            ups.append(up)
            below = 2 * f
        self.ups, self.last = nn.ModuleList(ups), SameUp(below, 3, 4, last=True)

    def forward(self, x):
        skips = []
        for layer in self.downs:
            x = layer(x)
            skips.append(x)
        for layer, skip in zip(self.ups, reversed(skips[:-1]), strict=True):
            x = torch.cat([layer(x), skip], 1)
        return torch.tanh(self.last(x))


def discriminator():
    f = FILTERS
    return nn.Sequential(
        down(3, f, False), down(f, 2 * f), down(2 * f, 4 * f), nn.ZeroPad2d(1), nn.Conv2d(4 * f, 8 * f, 4, bias=False),
        norm(8 * f), nn.LeakyReLU(0.2), nn.ZeroPad2d(1), nn.Conv2d(8 * f, 1, 4),
    )  # fmt: skip


PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16}
WAYS = ("first eager", "last eager", "first compiled", "last compiled")  # channels, and whether by torch.compile


def torch_step(case, arrays, precision, way):
    """A function that takes one step of the case's networks on (monet, photo), float32 (batch, h, w, 3).

    precision: "float32", or "bfloat16" for autocast, with losses, weights and optimizers in float32. way: of WAYS.
    """
    torch.manual_seed(0)
    layout = torch.channels_last if way.startswith("last") else torch.contiguous_format
    make = resnet if case.startswith("resnet") else UNet
    networks = [each().to(memory_format=layout) for each in (make, make, discriminator, discriminator)]
    parameters = [list(itertools.chain(a.parameters(), b.parameters())) for a, b in (networks[:2], networks[2:])]
    generators, judges = (torch.optim.Adam(p, 2e-4, (0.5, 0.999), fused=True) for p in parameters)
    if way.endswith("compiled"):
        networks = [torch.compile(network) for network in networks]
    to_monet, to_photo, judge_monet, judge_photo = networks
    monet, photo = (torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=layout) for x in arrays)
    dtype = PRECISIONS[precision]

    def through(network, *images):
        """What a network makes of several batches, joined into one and in the precision asked for, as float32."""
        with torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None):
            made = network(torch.cat(images) if len(images) > 1 else images[0])
        return made.float().chunk(len(images))

    def bce(logits, target):
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))

    def step():
        for p in parameters[1]:
            p.requires_grad_(False)
        fake_monet, same_monet = through(to_monet, photo, monet)
        fake_photo, same_photo = through(to_photo, monet, photo)
        (cycled_photo,), (cycled_monet,) = through(to_photo, fake_monet), through(to_monet, fake_photo)
        cycle = functional.l1_loss(cycled_photo, photo) + functional.l1_loss(cycled_monet, monet)
        same = functional.l1_loss(same_monet, monet) + functional.l1_loss(same_photo, photo)
        fool = bce(*through(judge_monet, fake_monet), 1.0) + bce(*through(judge_photo, fake_photo), 1.0)
        generators.zero_grad(set_to_none=True)
        (fool + 10.0 * cycle + 5.0 * same).backward()
        generators.step()
        for p in parameters[1]:
            p.requires_grad_(True)
        judges.zero_grad(set_to_none=True)
        for judge, real, fake in ((judge_monet, monet, fake_monet), (judge_photo, photo, fake_photo)):
            real_logits, fake_logits = through(judge, real, fake.detach())
            (0.5 * (bce(real_logits, 1.0) + bce(fake_logits, 0.0))).backward()
        judges.step()
        return float(cycle.detach())

    return step


def main(case, precision, *ways):
    from step import images

    seconds = {}
    for way in ways or WAYS:
        try:
            step = torch_step(case, images(case), precision, way)
            for _ in range(2):
                step()
            times = [time.perf_counter()]
            for _ in range(3):
                step()
                times.append(time.perf_counter())
        except Exception as error:  # torch.compile without a C++ compiler, whose errors are of many types
            print(f"{way}: {str(error).splitlines()[0][:100]}", file=sys.stderr)
            continue
        seconds[way] = min(after - before for before, after in itertools.pairwise(times))
        print(f"{case}, {precision}, {way}: {seconds[way]:.3f} s", file=sys.stderr)
    print(min(seconds, key=seconds.get))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The networks of `monet_lib.models` and a CycleGAN step in PyTorch, for benchmarks/step.py to run against.

Same layers, filters and losses as step.py's other variants; one joint gradient for both generators, one for both
discriminators, an Adam each, as is usual there. Channels first, PyTorch's own layout.
"""

import itertools

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
            down(g, f, k not in (0, HALVINGS - 1))
            for k, (g, f) in enumerate(zip(given, filters, strict=True))
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


def torch_step(case, arrays):
    """A function that takes one step of the case's networks on (monet, photo), float32 (batch, h, w, 3)."""
    torch.manual_seed(0)
    make = resnet if case.startswith("resnet") else UNet
    to_monet, to_photo, judge_monet, judge_photo = make(), make(), discriminator(), discriminator()
    parameters = [
        list(itertools.chain(a.parameters(), b.parameters()))
        for a, b in ((to_monet, to_photo), (judge_monet, judge_photo))
    ]
    generators, judges = (torch.optim.Adam(p, 2e-4, (0.5, 0.999)) for p in parameters)
    monet, photo = (torch.from_numpy(x).permute(0, 3, 1, 2).contiguous() for x in arrays)

    def bce(logits, target):
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))

    def step():
        for p in parameters[1]:
            p.requires_grad_(False)
        fake_monet, fake_photo = to_monet(photo), to_photo(monet)
        cycle = functional.l1_loss(to_photo(fake_monet), photo) + functional.l1_loss(
            to_monet(fake_photo), monet
        )
        same = functional.l1_loss(to_monet(monet), monet) + functional.l1_loss(to_photo(photo), photo)
        fool = bce(judge_monet(fake_monet), 1.0) + bce(judge_photo(fake_photo), 1.0)
        generators.zero_grad(set_to_none=True)
        (fool + 10.0 * cycle + 5.0 * same).backward()
        generators.step()
        for p in parameters[1]:
            p.requires_grad_(True)
        judges.zero_grad(set_to_none=True)
        for judge, real, fake in ((judge_monet, monet, fake_monet), (judge_photo, photo, fake_photo)):
            (0.5 * (bce(judge(real), 1.0) + bce(judge(fake.detach()), 0.0))).backward()
        judges.step()
        return float(cycle)

    return step

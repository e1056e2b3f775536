"""The first two layers of the small CLIP's vision tower, which are set by hand and do not learn.

From noise, a model of this size takes very long to see what blur and compression do to fine detail,
and gradients soon wash out filters that do. So the patch embedding is a bank of small waves, of
differences across the 8-pixel grid of JPEG, and of coarse patterns. The first layer turns the size
of each wave's response into four numbers, each growing from 0 to 1 in its own range. The second
averages these over all patches and takes the logarithm: how much of each detail, how strong.

Layer norms stand in the way of such arithmetic. Large constants in a few channels make them linear,
and balance channels, which take the negative sum of all others, keep the mean they subtract at 0.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from transformers import CLIPModel

WAVES, COARSE = 60, 40
EDGES = (0.0, 0.03, 0.12, 0.6, 4.0)
"""Of the ranges of a response; a pixel is -1 to 1, a filter has length 1."""
RANGES = len(EDGES) - 1
POSITIONS, BALANCE, CONSTANT = 16, 8, 16
WIDTH = WAVES * RANGES + COARSE + POSITIONS + BALANCE + CONSTANT
CONSTANT_SIZE = 40.0
KNOTS = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Between these the logarithm is a straight line."""
HIDDEN = WAVES * RANGES * (len(KNOTS) - 1)

_SEEN = slice(0, WAVES * RANGES)
_CODES = slice(_SEEN.stop + COARSE, _SEEN.stop + COARSE + POSITIONS)
_BALANCE = slice(_CODES.stop, _CODES.stop + BALANCE)
_CONSTANT = slice(_BALANCE.stop, WIDTH)
_SCALE = CONSTANT_SIZE * (CONSTANT / WIDTH) ** 0.5
"""Standard deviation of a token: what a layer norm divides by."""


@torch.no_grad()
def set_front(model: CLIPModel) -> None:
    """Set the patch embedding and the first two layers, and freeze them."""
    vision = model.vision_model
    layers: list[Any] = list(vision.encoder.layers)
    _embed_patches(vision.embeddings)
    vision.pre_layrnorm.weight.fill_(_SCALE)
    for layer in layers[:2]:
        for norm in (layer.layer_norm1, layer.layer_norm2):
            norm.weight.fill_(_SCALE)
    _measure(layers[0])
    _average(layers[1])
    _take_logarithms(layers[1])
    for part in (vision.embeddings, vision.pre_layrnorm, *layers[:2]):
        part.requires_grad_(False)
    for layer in layers[2:]:  # what was measured counts as much as the constants
        for norm in (layer.layer_norm1, layer.layer_norm2):
            norm.weight.fill_(_SCALE)
            norm.weight[_CONSTANT] = 0.1
    vision.post_layernorm.weight.fill_(_SCALE)
    vision.post_layernorm.weight[_CONSTANT] = 0.1


def _embed_patches(embeddings: Any) -> None:
    weight = embeddings.patch_embedding.weight
    _, colours, side, _ = weight.shape
    weight.zero_()
    weight[:WAVES] = _waves(WAVES, colours, side)
    weight[_SEEN.stop : _CODES.start] = _coarse_patterns(COARSE, colours, side)
    weight[_BALANCE] = -weight.sum(0) / BALANCE
    embeddings.class_embedding.zero_()
    positions = embeddings.position_embedding.weight
    positions.zero_()
    rows = round((len(positions) - 1) ** 0.5)
    place = torch.arange(1, 5) * math.pi / rows * (torch.arange(rows)[:, None] + 0.5)
    code = torch.cat([place.sin(), place.cos()], 1)
    down = code[:, None].expand(rows, rows, -1)
    positions[1:, _CODES] = torch.cat([down, down.transpose(0, 1)], 2).flatten(0, 1)
    positions[:, _BALANCE] = -positions.sum(1, keepdim=True) / BALANCE
    positions[:, _CONSTANT] = CONSTANT_SIZE * torch.tensor([1.0, -1.0]).repeat(CONSTANT // 2)


def _measure(layer: Any) -> None:
    """Replace each response r by one number for each range: 0 below it, 1 above it."""
    layer.self_attn.out_proj.weight.zero_()
    _clear(layer.mlp)
    sharpness = 200.0  # gelu(z) is 0 below and z above, once z is far from 0
    wave = torch.arange(WAVES)
    widths = torch.tensor(EDGES).diff()
    for edge, threshold in enumerate(EDGES):
        for side, sign in enumerate((1.0, -1.0)):
            unit = (2 * edge + side) * WAVES + wave
            layer.mlp.fc1.weight[unit, wave] = sign * sharpness
            layer.mlp.fc1.bias[unit] = -sharpness * threshold
            if edge < RANGES:
                layer.mlp.fc2.weight[edge * WAVES + wave, unit] += 1 / widths[edge] / sharpness
            if edge > 0:
                lower = edge - 1
                layer.mlp.fc2.weight[lower * WAVES + wave, unit] -= 1 / widths[lower] / sharpness
            else:
                layer.mlp.fc2.weight[wave, unit] -= sign / sharpness  # the response itself goes
    layer.mlp.fc2.weight[_BALANCE] = -layer.mlp.fc2.weight.sum(0) / BALANCE


def _average(layer: Any) -> None:
    """Add to each token the mean over all of what was measured."""
    attention = layer.self_attn
    for projection in (attention.q_proj, attention.k_proj, attention.v_proj, attention.out_proj):
        projection.weight.zero_()
        projection.bias.zero_()
    attention.v_proj.weight.copy_(torch.eye(WIDTH))
    attention.out_proj.weight[_SEEN, _SEEN] = torch.eye(_SEEN.stop)
    attention.out_proj.weight[_BALANCE] = -attention.out_proj.weight.sum(0) / BALANCE


def _take_logarithms(layer: Any) -> None:
    """Replace each mean x by (log(x + 0.001) + 3.5) / 2, straight between the knots."""
    _clear(layer.mlp)
    sharpness = 1000.0
    knots = torch.tensor(KNOTS)
    values = ((knots + 0.001).log() + 3.5) / 2
    slopes = values.diff() / knots.diff()
    changes = slopes.diff(prepend=torch.ones(1))  # the mean itself is there already
    channel = torch.arange(_SEEN.stop)
    for number, (knot, change) in enumerate(zip(knots[:-1], changes, strict=True)):
        unit = number * _SEEN.stop + channel
        layer.mlp.fc1.weight[unit, channel] = sharpness
        layer.mlp.fc1.bias[unit] = -sharpness * knot
        layer.mlp.fc2.weight[channel, unit] = change / sharpness
    layer.mlp.fc2.bias[_SEEN] = values[0]


def _clear(mlp: Any) -> None:
    for linear in (mlp.fc1, mlp.fc2):
        linear.weight.zero_()
        linear.bias.zero_()


def _waves(count: int, colours: int, side: int) -> torch.Tensor:
    """Small waves of all frequencies, directions and places, `(count, colours, side, side)`.

    The last 16 are differences across an 8-pixel grid, both ways and at every offset. All have
    mean 0 and length 1.
    """
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    filters = []
    for frequency, angle, phase, left, top, tint in torch.rand(count - 16, 6):
        cycles = 0.5 * 2 ** (-3 * frequency)  # per pixel, from the finest to 1 in 16 pixels
        width = 0.5 / cycles
        u, v = x - left * side, y - top * side
        along = u * torch.cos(angle * math.pi) + v * torch.sin(angle * math.pi)
        wave = torch.cos(2 * math.pi * (cycles * along + phase))
        wave = wave * torch.exp(-(u**2 + v**2) / (2 * width**2))
        colour = torch.ones(colours) if tint < 0.85 else torch.randn(colours)
        filters.append(wave * colour[:, None, None])
    for offset in range(8):
        step = torch.zeros(side)
        step[offset::8] = 1
        step[offset + 1 :: 8] = -1
        filters += [step.expand(colours, side, side), step[:, None].expand(colours, side, side)]
    bank = torch.stack(filters)
    bank -= bank.mean((2, 3), keepdim=True)
    return bank / (bank.flatten(1).norm(dim=1)[:, None, None, None] + 1e-3)


def _coarse_patterns(count: int, colours: int, side: int) -> torch.Tensor:
    """The lowest frequencies of a cosine transform, of brightness and of colours."""
    places = (torch.arange(side) + 0.5) * math.pi / side
    order = sorted(((i, j) for i in range(8) for j in range(8)), key=lambda f: (sum(f), f))
    tints = torch.eye(colours) - 1 / colours
    filters = []
    for number, (i, j) in enumerate(order):
        pattern = torch.cos(i * places)[:, None] * torch.cos(j * places)[None]
        filters.append(pattern.expand(colours, side, side))
        if number < 4:
            filters += [pattern * tint[:, None, None] for tint in tints[:2]]
    bank = torch.stack(filters[:count])
    return bank / bank.flatten(1).norm(dim=1)[:, None, None, None] / 8

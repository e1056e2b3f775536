"""The drawing half of the charts: titles, axes, legends and marks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from PIL import Image

from .canvas import GREY, INK, LIGHT, PALETTE, Canvas, Point

_TEXT = 12


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where values lie on the page; lying charts swap the axes."""

    left: float
    top: float
    right: float
    bottom: float
    high: float
    lying: bool = False

    def at(self, share: float, value: float) -> Point:
        """The point `share` of the way along the labels, at `value`."""
        if self.lying:
            x = self.left + (self.right - self.left) * value / self.high
            return x, self.top + (self.bottom - self.top) * share
        x = self.left + (self.right - self.left) * share
        return x, self.bottom - (self.bottom - self.top) * value / self.high


def bars(description: dict[str, Any]) -> Image.Image:
    canvas, frame = _page(description)
    rows, n = description["values"], len(description["labels"])
    thick = description["fill"] / n / len(rows)
    for s, row in enumerate(rows):
        for i, value in enumerate(row):
            start = (i + 0.5) / n + (s - len(rows) / 2) * thick
            (x0, y0), (x1, y1) = frame.at(start, 0), frame.at(start + thick, value)
            box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
            canvas.rectangle(box, fill=PALETTE[description["colours"][s]], outline=None)
            if description["printed"]:
                x, y = frame.at(start + thick / 2, value)
                if frame.lying:
                    canvas.text((x + 4, y), str(value), 11, anchor="lm")
                else:
                    canvas.text((x, y - 4), str(value), 11, anchor="ms")
    canvas.line([frame.at(0, 0), frame.at(1, 0)], INK, 1.5)
    return canvas.finish()


def lines(description: dict[str, Any]) -> Image.Image:
    canvas, frame = _page(description)
    n = len(description["labels"])
    for s, row in enumerate(description["values"]):
        colour = PALETTE[description["colours"][s]]
        points = [frame.at((i + 0.5) / n, value) for i, value in enumerate(row)]
        canvas.line(points, colour, 2.2)
        for point in points:
            mark(canvas, point, s, colour)
        if description["printed"]:
            for i, (x, y) in enumerate(points):
                beside = row[max(0, i - 1) : i] + row[i + 1 : i + 2]
                under = 2 * row[i] < 2 * sum(beside) / len(beside) and row[i] > 0
                canvas.text((x, y + (14 if under else -14)), str(row[i]), 11, halo=True)
    return canvas.finish()


def pies(description: dict[str, Any]) -> Image.Image:
    width, height = description["width"], description["height"]
    canvas = Canvas(width, height)
    canvas.text((width / 2, 18), description["title"], 15)
    canvas.text((width / 2, 38), description["note"], _TEXT, GREY)
    names, n = description["series"], len(description["series"])
    legend = max(canvas.text_width(label, _TEXT) for label in description["labels"]) + 40
    room = width - legend
    radius = min(room / n / 2 - 14, (height - 62 - 22 * (n > 1)) / 2 - 6)
    for k, row in enumerate(description["values"]):
        centre = (room * (k + 0.5) / n, 52 + radius + 4)
        angle = description["start"]
        for i, value in enumerate(row):
            end = angle + 3.6 * value
            canvas.sector(centre, radius, angle, end, PALETTE[description["colours"][i]])
            middle = math.radians((angle + end) / 2)
            x = centre[0] + 0.76 * radius * math.cos(middle)
            y = centre[1] + 0.76 * radius * math.sin(middle)
            pale = description["colours"][i] == PALETTE.index("#d67fb0")
            canvas.text((x, y), f"{value}%", _TEXT, INK if pale else "white")
            angle = end
        if n > 1:
            canvas.text((centre[0], centre[1] + radius + 18), names[k], 14)
    for i, label in enumerate(description["labels"]):
        y = height / 2 + 16 + 21 * (i - (len(description["labels"]) - 1) / 2)
        swatch = (room + 4, y - 6, room + 16, y + 6)
        canvas.rectangle(swatch, PALETTE[description["colours"][i]], None)
        canvas.text((room + 22, y), label, _TEXT, anchor="lm")
    return canvas.finish()


def scatter(description: dict[str, Any]) -> Image.Image:
    canvas, frame = _page(description)
    step, last = description["x_tick"], description["x_top"]
    for value in range(0, last + 1, step):
        x, bottom = frame.at(value / last, 0)
        canvas.line([(x, frame.top), (x, bottom)], LIGHT, 1)
        canvas.line([(x, bottom), (x, bottom + 4)], INK, 1.2)
        canvas.text((x, bottom + 13), str(value), 11)
    canvas.line([frame.at(0, 0), frame.at(1, 0)], INK, 1.5)
    canvas.line([frame.at(0, 0), frame.at(0, frame.high)], INK, 1.5)
    middle = (frame.left + frame.right) / 2
    canvas.text((middle, frame.bottom + 32), description["x_axis"], _TEXT)
    for s, points in enumerate(description["points"]):
        for x, y in points:
            mark(canvas, frame.at(x / last, y), s, PALETTE[description["colours"][s]])
    return canvas.finish()


def mark(canvas: Canvas, at: Point, shape: int, colour: str) -> None:
    """A disc, a square or a triangle, so that series differ without their colour too."""
    x, y = at
    if shape == 0:
        canvas.circle(at, 4.5, colour, None)
    elif shape == 1:
        canvas.rectangle((x - 4.2, y - 4.2, x + 4.2, y + 4.2), colour, None)
    else:
        canvas.polygon([(x, y - 5.5), (x - 5.2, y + 4), (x + 5.2, y + 4)], colour, None)


def _page(description: dict[str, Any]) -> tuple[Canvas, _Frame]:
    """The chart without its marks: title, legend, both axes and the lines of the grid."""
    width, height = description["width"], description["height"]
    canvas = Canvas(width, height)
    canvas.text((width / 2, 18), description["title"], 15)
    lying, labels = description.get("lying", False), description.get("labels", [])
    side = canvas.text_width(str(description["top"]), 11) + 14
    if lying:
        side = max(canvas.text_width(label, _TEXT) for label in labels) + 14
    named = len(description["series"]) > 1
    below = 26 if not ("x_axis" in description or lying) else 44
    top = 38 + 20 * named + (6 if lying else 20)
    frame = _Frame(side + 8, top, width - 26, height - below, description["top"], lying)
    if named:
        _legend(canvas, description)
    if lying:
        canvas.text(((frame.left + frame.right) / 2, height - 12), description["axis"], _TEXT)
    else:
        canvas.text((10, top - 18), description["axis"], _TEXT, anchor="lm")
    _scale(canvas, frame, description)
    for i, label in enumerate(labels):
        x, y = frame.at((i + 0.5) / len(labels), 0)
        if lying:
            canvas.text((x - 7, y), label, _TEXT, anchor="rm")
        else:
            canvas.text((x, y + 14), label, _TEXT)
    return canvas, frame


def _scale(canvas: Canvas, frame: _Frame, description: dict[str, Any]) -> None:
    tick, top = description["tick"], description["top"]
    for value in range(0, top + 1, tick):
        (x, y), end = frame.at(0, value), frame.at(1, value)
        if frame.lying:
            x, y = frame.left + (frame.right - frame.left) * value / top, frame.bottom
            canvas.line([(x, y), (x, y + 4)], INK, 1.2)
            canvas.text((x, y + 13), str(value), 11)
        else:
            canvas.line([(x - 4, y), (x, y)], INK, 1.2)
            canvas.text((x - 7, y), str(value), 11, anchor="rm")
        if value and description["grid"]:
            canvas.line([frame.at(0, value), end], LIGHT, 1)
    corner = (frame.left, frame.bottom)
    canvas.line([(frame.left, frame.top), corner, (frame.right, frame.bottom)], INK, 1.5)


def _legend(canvas: Canvas, description: dict[str, Any]) -> None:
    names = description["series"]
    spread = sum(canvas.text_width(name, _TEXT) + 38 for name in names)
    x, y = description["width"] / 2 - spread / 2 + 8, 40
    for s, name in enumerate(names):
        colour = PALETTE[description["colours"][s]]
        if "fill" in description:
            canvas.rectangle((x, y - 6, x + 12, y + 6), colour, None)
        else:
            mark(canvas, (x + 6, y), s, colour)
        canvas.text((x + 18, y), name, _TEXT, anchor="lm")
        x += canvas.text_width(name, _TEXT) + 38

"""Many square maps as one picture: a palette PNG of all tiles, so that a hundred heads cost no more than one image.

Half a byte is an index into the palette; the two themes differ in the palette alone, the head of the PNG. Values have
twelve steps of colour along their square root, since most shares are small; words beyond MOST are drawn in blocks, the
largest of each.
"""

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from isal import isal_zlib

from app.messages import Lang, decimal
from app.plotting import Plot, Theme
from app.plotting.colours import GRID, MASKED, PAPER, THEMES, colorscale
from app.plotting.plot import Json, axes_of, blank, bold, escaped, suffix_of, themed

CLEAR, GREY, FRAME, ZERO = range(4)  # what the first indices stand for; from ZERO on they are values
TOP = 15  # of four bits
MOST = 128  # pixels of a tile, and words that have a pixel each
GAP = 0.06  # between tiles, as a share of their side
CAPTION = 0.2  # room below a tile for its caption
STRIP = (0.1, 0.1, 3)  # the scale below the tiles: distance and height as shares of a side, length in tiles
TICKS = (0.0, 0.1, 0.5, 1.0)
LEVEL = 1  # of ISA-L: in a sixth of zlib's time, and smaller
BETWEEN = 0.03  # of the width, from one atlas to the next


@dataclass(frozen=True)
class Atlas:
    """The tiles of one run in reading order: indices [tiles, cells, cells], a caption each, so many in a row.

    `rows` and `columns` are the labels beside and above, if the places mean something.
    """

    title: str
    tiles: np.ndarray
    captions: Sequence[str]
    width: int
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()

    @cached_property
    def height(self) -> int:
        """The number of rows."""
        return -(-len(self.tiles) // self.width)

    @cached_property
    def times(self) -> int:
        """The pixels of a cell in each direction."""
        return max(1, round(MOST / len(self.tiles[0])))

    @cached_property
    def side(self) -> int:
        """The pixels of a tile in each direction."""
        return int(self.tiles.shape[-1]) * self.times

    @cached_property
    def pitch(self) -> tuple[int, int]:
        """The pixels from one tile to the next, across and down."""
        return self.side + max(4, round(GAP * self.side)), self.side + max(4, round(CAPTION * self.side))

    def place(self, number: int) -> tuple[float, float]:
        """The middle of a tile, in widths of a tile and its gap."""
        across, down = self.pitch
        row, column = divmod(number, self.width)
        return float(column), row * down / across


def tiles(shares: np.ndarray, masked: np.ndarray | None = None) -> np.ndarray:
    """Shares from 0 to 1, [maps, rows, columns], as indices [maps, cells, cells]; masked cells are grey.

    Where one side has fewer words, what is left of the square is clear.
    """
    roots = np.sqrt(shares)
    roots *= TOP - ZERO
    roots += ZERO + 0.5
    found: np.ndarray = roots.astype(np.uint8)
    if masked is not None:
        found[masked] = GREY
    rows, columns = found.shape[-2:]
    count = max(rows, columns)
    block = -(-count // MOST)
    room = -(-count // block) * block
    if (rows, columns) != (room, room):
        found = np.pad(found, [(0, 0), (0, room - rows), (0, room - columns)], constant_values=CLEAR)
    if block == 1:
        return found
    side = room // block
    largest: np.ndarray = found.reshape(len(found), side, block, side, block).max(axis=(2, 4))
    return largest


def mosaic(atlas: Atlas, scale: bool) -> np.ndarray:
    """All tiles with frames and gaps, and the scale below them: indices [pixels, pixels]."""
    side, (across, down) = atlas.side, atlas.pitch
    edge = (across - side) // 2
    above, thick, long = round(STRIP[0] * side), max(4, round(STRIP[1] * side)), min(STRIP[2], atlas.width)
    height = atlas.height * down
    image = np.full((height + (above + thick + 2 if scale else 0), atlas.width * across), CLEAR, np.uint8)
    grid = image[:height].reshape(atlas.height, down, atlas.width, across).transpose(0, 2, 1, 3)  # a view of each tile
    enlarged = atlas.tiles
    if atlas.times > 1:
        enlarged = enlarged.repeat(atlas.times, axis=1).repeat(atlas.times, axis=2)
    for first in range(0, len(enlarged), atlas.width):
        row = enlarged[first : first + atlas.width]
        grid[first // atlas.width, : len(row), edge - 1 : edge + side + 1, edge - 1 : edge + side + 1] = FRAME
        grid[first // atlas.width, : len(row), edge : edge + side, edge : edge + side] = row
    if scale:
        length = long * across - 2 * edge
        image[height + above :, edge - 1 : edge + length + 1] = FRAME
        image[height + above + 1 : -1, edge : edge + length] = np.linspace(ZERO, TOP, length).round()
    return image


@cache
def palette(theme: Theme) -> np.ndarray:
    """The colours of all indices: uint8[16, 3]."""
    stops = colorscale("share", theme)
    places, colours = [place for place, _ in stops], np.array([rgb(colour) for _, colour in stops])
    along = np.linspace(0, 1, TOP - ZERO + 1)
    values = np.stack([np.interp(along, places, channel) for channel in colours.T], axis=1)
    named = [rgb(PAPER[theme]), rgb(MASKED[theme]), rgb(GRID[theme])]
    return np.concatenate([named, values]).round().astype(np.uint8)


def rgb(colour: str) -> tuple[int, ...]:
    """#rrggbb as three numbers."""
    return tuple(bytes.fromhex(colour[1:]))


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG: length, name, content, checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def head(shape: tuple[int, ...], theme: Theme) -> bytes:
    """A PNG's first 108 bytes: size, colours, and CLEAR as see-through; a multiple of 3, so base64 ends with it."""
    height, width = shape
    size = struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)  # 4 bits that are indices into a palette
    colours = chunk(b"PLTE", palette(theme).tobytes())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + colours + chunk(b"tRNS", b"\x00\xff\xff")


def body(image: np.ndarray) -> bytes:
    """The rest of a PNG: its pixels, two in a byte, each row as it is."""
    height, width = image.shape
    if width % 2:
        image = np.pad(image, [(0, 0), (0, 1)])
    pairs = image.view("<u2")  # the left pixel is the lower byte
    rows = np.zeros((height, pairs.shape[1] + 1), np.uint8)  # a row begins with its filter, 0 is none
    rows[:, 1:] = pairs << 4 | pairs >> 8  # whose lower byte is both
    return chunk(b"IDAT", isal_zlib.compress(rows.data, LEVEL)) + chunk(b"IEND", b"")


def source(content: bytes) -> str:
    """Part of a data address: base64."""
    return base64.b64encode(content).decode("ascii")


def plot(atlases: Sequence[Atlas], lang: Lang, bar: str) -> Plot:
    """One image for each run; the scale, called `bar`, stands below the first."""
    data: list[Json] = []
    layout = blank(lang) | {"hovermode": False}
    wide = (1 + BETWEEN) / len(atlases) - BETWEEN
    for number, atlas in enumerate(atlases):
        suffix = suffix_of(number)
        image = mosaic(atlas, scale=number == 0)
        unit = atlas.pitch[0]
        heads = {theme: "data:image/png;base64," + source(head(image.shape, theme)) for theme in THEMES}
        data.append({
            "type": "image", "source": heads["light"] + source(body(image)), "meta": {"heads": heads},
            "x0": -0.5 + 0.5 / unit, "dx": 1 / unit, "y0": -0.5 + 0.5 / unit, "dy": 1 / unit,
            "xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "hoverinfo": "skip", "zsmooth": "fast",
        })  # fmt: skip
        common: Json = {"showgrid": False, "zeroline": False, "showline": False, "ticks": "", "fixedrange": True}
        layout[f"xaxis{suffix}"] = common | {
            "domain": (start := number * (wide + BETWEEN), start + wide), "anchor": f"y{suffix}",
            "side": "top", "tickvals": list(range(len(atlas.columns))), "range": [-0.5, atlas.width - 0.5],
            "ticktext": [bold(label) for label in atlas.columns],
        }  # fmt: skip
        layout[f"yaxis{suffix}"] = common | {
            "domain": (0, 1), "anchor": f"x{suffix}", "automargin": True,
            "tickvals": [atlas.place(row * atlas.width)[1] for row in range(len(atlas.rows))],
            "range": [image.shape[0] / unit - 0.5, -0.5], "ticktext": [bold(label) for label in atlas.rows],
        }  # fmt: skip
        layout["annotations"] += notes(atlas, suffix)
    layout["annotations"] += scale_notes(atlases[0], lang, bar)
    shape = {
        "columns": [list(axes_of(number)) for number in range(len(atlases))],
        "rows": max(atlas.height for atlas in atlases), "cells": max(atlas.width for atlas in atlases),
        "row_labels": bool(atlases[0].rows), "kind": "atlas",
    }  # fmt: skip
    return Plot(data, layout, {theme: themed(layout, theme) for theme in THEMES}, shape)


def notes(atlas: Atlas, suffix: str) -> list[Json]:
    """The title above an atlas and the caption below each tile."""
    across, down = atlas.pitch
    below = (atlas.side / 2 + (down - atlas.side) / 2) / across
    found: list[Json] = [{
        "text": escaped(atlas.title), "xref": f"x{suffix} domain", "yref": f"y{suffix} domain", "x": 0, "y": 1,
        "xanchor": "left", "yanchor": "bottom", "showarrow": False, "yshift": 30, "font": {"size": 13},
    }]  # fmt: skip
    for number, caption in enumerate(atlas.captions):
        x, y = atlas.place(number)
        found.append(note("caption", caption, (f"x{suffix}", f"y{suffix}"), x, y + below))
    return found


def scale_notes(atlas: Atlas, lang: Lang, bar: str) -> list[Json]:
    """The numbers below the scale and its name beside it."""
    across, down = atlas.pitch
    edge = (across - atlas.side) / 2 / across
    long = min(STRIP[2], atlas.width) - 2 * edge
    thick = max(4, round(STRIP[1] * atlas.side)) / across
    bottom = (atlas.height * down + round(STRIP[0] * atlas.side) + 2) / across + thick - 0.5
    found = [
        note("tick", decimal(lang, tick, 1 if 0 < tick < 1 else 0), ("x", "y"),
             -0.5 + edge + long * tick**0.5, bottom) | {"yanchor": "top"}
        for tick in TICKS
    ]  # fmt: skip
    return [*found, note("bar", bar, ("x", "y"), -0.5 + edge, bottom) | {"xanchor": "left", "yanchor": "top"}]


def note(name: str, text: str, axes: tuple[str, str], x: float, y: float) -> dict[str, Any]:
    """A text at a place of an atlas."""
    return {
        "name": name, "text": escaped(text), "xref": axes[0], "yref": axes[1], "x": x, "y": y, "showarrow": False,
        "xanchor": "center", "yanchor": "middle", "font": {"size": 12}, "borderpad": 0,
    }  # fmt: skip

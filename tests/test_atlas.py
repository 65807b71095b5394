"""Atlas: a PNG that another reader of PNGs decodes to the tiles, their colours and their places."""

import base64
import struct
import zlib

import numpy as np
import plotly.graph_objects as go
import pytest

from app.atlas import CLEAR, FRAME, GREY, MOST, TOP, ZERO, Atlas, mosaic, palette, plot, tiles
from app.plotting.colours import BLUES, CIVIDIS, MASKED, THEMES

SHARES = np.array([[[1.0, 0.0], [0.25, 0.04]], [[0.5, 0.5], [0.0, 1.0]]], np.float32)


def decoded(source: str) -> tuple[np.ndarray, np.ndarray, bytes]:
    """Indices, palette and transparency of a palette PNG, its checksums tested, by zlib alone."""
    kind, content = source.split(",", 1)
    assert kind == "data:image/png;base64"
    raw = base64.b64decode(content, validate=True)
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    parts, at = {}, 8
    while at < len(raw):
        (length,) = struct.unpack(">I", raw[at : at + 4])
        name, inside = raw[at + 4 : at + 8], raw[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack(">I", raw[at + 8 + length : at + 12 + length])
        assert checksum == zlib.crc32(name + inside)
        parts[name] = inside
        at += 12 + length
    assert list(parts) == [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"]
    width, height, *rest = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    assert rest == [4, 3, 0, 0, 0]
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, -(-width // 2) + 1)
    assert (rows[:, 0] == 0).all()
    pixels = np.stack([rows[:, 1:] >> 4, rows[:, 1:] & 15], axis=-1).reshape(height, -1)[:, :width]
    return pixels, np.frombuffer(parts[b"PLTE"], np.uint8).reshape(16, 3), parts[b"tRNS"]


def atlas(shares=SHARES, width=2, **more) -> Atlas:
    return Atlas("a < b", tiles(shares), [str(n) for n in range(len(shares))], width, **more)


def test_a_tile_follows_the_square_root():
    drawn = tiles(SHARES)
    assert drawn.dtype == np.uint8
    # √1 = 1, √0.25 = 0.5, √0.04 = 0.2, √0.5 = 0.71 of 12 steps above 3
    assert drawn.tolist() == [[[15, 3], [9, 5]], [[11, 11], [3, 15]]]


def test_a_masked_cell_is_grey_whatever_its_value():
    masked = np.zeros(SHARES.shape, bool)
    masked[0, 0, 1] = True
    assert tiles(SHARES, masked).tolist() == [[[15, GREY], [9, 5]], [[11, 11], [3, 15]]]


def test_what_looks_across_leaves_the_rest_of_the_square_clear():
    assert tiles(np.ones((1, 1, 3), np.float32))[0].tolist() == [[15, 15, 15], [CLEAR] * 3, [CLEAR] * 3]
    beyond = tiles(np.ones((1, 130, 100), np.float32))[0]  # in blocks of four
    assert beyond.shape == (65, 65) and (beyond[:, :50] == 15).all() and (beyond[:, 50:] == CLEAR).all()


@pytest.mark.parametrize("count", [1, 2, 7, 64, 65, 100, 127, 128])
def test_up_to_128_words_each_cell_has_its_pixels(count):
    shares = np.eye(count, dtype=np.float32)[None]
    made = atlas(shares, width=1)
    assert 64 < made.side < 192 and made.side == made.times * count
    pixels, *_ = decoded(plot([made], "de", "Bar").data[0]["source"])
    edge = (made.pitch[0] - made.side) // 2
    tile = pixels[edge : edge + made.side, edge : edge + made.side]
    for row, column in np.ndindex(made.times, made.times):
        assert (tile[row :: made.times, column :: made.times] == np.where(shares[0], TOP, ZERO)).all()


@pytest.mark.parametrize("count", [129, 200, 256, 512])
def test_beyond_that_a_pixel_is_the_largest_of_its_block(count):
    shares = np.zeros((1, count, count), np.float32)
    shares[0, count - 1, 0] = 1
    shares[0, 2, 3] = 0.25
    drawn = tiles(shares)
    block = -(-count // MOST)
    assert drawn.shape[-1] <= MOST
    assert drawn[0, -1, 0] == TOP and drawn[0, 2 // block, 3 // block] == 9
    assert (drawn > ZERO).sum() == 2


def test_a_block_is_grey_only_where_all_of_it_is_masked():
    shares = np.full((1, 256, 256), 0.25, np.float32)
    drawn = tiles(shares, ~np.tri(256, dtype=bool)[None])
    assert (drawn[0][np.triu_indices(128, 1)] == GREY).all() and (drawn[0][np.tril_indices(128)] == 9).all()


def test_the_palettes_are_those_of_all_figures():
    for theme, colours in (("light", BLUES), ("dark", CIVIDIS)):
        found = palette(theme)
        assert bytes(found[ZERO]).hex() == colours[0][1:] and bytes(found[TOP]).hex() == colours[-1][1:]
        assert bytes(found[GREY]).hex() == MASKED[theme][1:]
    assert bytes(palette("light")[ZERO + 6]).hex() == BLUES[4][1:]  # the middle one of nine


def test_the_image_is_the_tiles_at_the_places_that_the_axes_name():
    drawn = plot([atlas(np.concatenate([SHARES, SHARES[:1]]), rows=("r1", "r2"), columns=("c1", "c2"))], "de", "Bar")
    (image,) = drawn.data
    pixels, colours, clear = decoded(image["source"])
    assert np.array_equal(colours, palette("light"))
    assert clear[CLEAR] == 0 and clear[GREY] == clear[FRAME] == 255

    def at(x, y):
        return pixels[round((y - image["y0"]) / image["dy"]), round((x - image["x0"]) / image["dx"])]

    rows, columns = drawn.layout["yaxis"]["tickvals"], drawn.layout["xaxis"]["tickvals"]
    quarter = 64 / 2 * image["dx"]
    for number, (row, column) in enumerate([(0, 0), (0, 1), (1, 0)]):
        corners = ((-1, -1), (-1, 1), (1, -1), (1, 1))
        shown = [at(columns[column] + across * quarter, rows[row] + down * quarter) for down, across in corners]
        assert shown == (ZERO + 0.5 + 12 * np.sqrt(SHARES[number % 2].ravel())).astype(int).tolist()
    assert at(0.5, rows[0]) == CLEAR and at(columns[1], rows[1]) == CLEAR
    assert pixels.shape[1] * image["dx"] == pytest.approx(np.ptp(drawn.layout["xaxis"]["range"]))
    assert pixels.shape[0] * image["dy"] == pytest.approx(np.ptp(drawn.layout["yaxis"]["range"]))


def test_the_scale_runs_through_all_colours_and_its_numbers_stand_at_theirs():
    drawn = plot([atlas()], "de", "Bar")
    pixels, *_ = decoded(drawn.data[0]["source"])
    strip = pixels[-2]
    assert strip[strip > FRAME].min() == ZERO and strip.max() == TOP
    for note in drawn.layout["annotations"]:
        if note.get("name") == "tick":
            place = round((note["x"] + 0.5) / drawn.data[0]["dx"])
            place = min(max(place, np.argmax(strip > FRAME)), len(strip) - np.argmax(strip[::-1] > FRAME) - 1)
            value = float(note["text"].replace(",", "."))
            assert (strip[place] - ZERO) / (TOP - ZERO) == pytest.approx(value**0.5, abs=0.5 / (TOP - ZERO) + 0.01)


def test_two_themes_are_one_image_with_another_head():
    drawn = plot([atlas()], "de", "Bar")
    light, dark = (drawn.json(theme)["data"][0]["source"] for theme in THEMES)
    (first, blue, _), (second, yellow, _) = decoded(light), decoded(dark)
    assert np.array_equal(first, second)
    assert np.array_equal(blue, palette("light")) and np.array_equal(yellow, palette("dark"))
    assert drawn.json("auto")["data"][0]["source"] == light
    heads = drawn.data[0]["meta"]["heads"]
    assert heads["dark"] + light[len(heads["dark"]) :] == dark  # what the page does


def test_two_atlases_are_two_images_and_only_the_first_has_the_scale():
    drawn = plot([atlas(), atlas()], "en", "Bar")
    first, second = (decoded(image["source"])[0] for image in drawn.data)
    assert first.shape[0] > second.shape[0] and first.shape[1] == second.shape[1]
    assert np.array_equal(mosaic(atlas(), scale=False), second)
    for theme in THEMES:
        go.Figure(data=drawn.json(theme)["data"], layout=drawn.json(theme)["layout"])
    assert "a &lt; b" in str(drawn.layout)

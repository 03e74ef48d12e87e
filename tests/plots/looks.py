"""What a reader sees: lightness, colours without green cones, texts."""

import itertools
from unittest import mock

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text

# Lightness is CIE L*: 0 is black and 100 is white.
LIGHTNESS_APART = 15.0
# Distance in CIELAB; about 2.3 is the least that an eye can see.
COLORS_APART = 20.0

RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
# Machado, Oliveira and Fernandes, 2009: no green cones, in linear RGB.
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)


def linear(color):
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(linear_rgb):
    white = RGB_TO_XYZ.sum(1)
    t = RGB_TO_XYZ @ linear_rgb / white
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def lightness(color):
    return lab(linear(color))[0]


def distance_without_green(first, second):
    seen = [
        lab(np.clip(DEUTERANOPIA @ linear(color), 0, 1))
        for color in (first, second)
    ]
    return np.linalg.norm(seen[0] - seen[1])


def assert_told_apart(colors):
    """Every two colours differ in grey, and to eyes without green cones."""
    for first, second in itertools.combinations(colors, 2):
        apart = abs(lightness(first) - lightness(second))
        assert apart >= LIGHTNESS_APART, (first, second, apart)
        distance = distance_without_green(first, second)
        assert distance >= COLORS_APART, (first, second, distance)


def visible_texts(figure):
    """Each text that is drawn, with its rectangle in pixels."""
    canvas = FigureCanvasAgg(figure)
    drawn, draw = {}, Text.draw

    def remember(text, renderer, *args, **kwargs):
        if text.get_text().strip() and text.get_visible():
            drawn[text] = text.get_window_extent(renderer)
        return draw(text, renderer, *args, **kwargs)

    with mock.patch.object(Text, "draw", remember):
        canvas.draw()
    return list(drawn.items())


def assert_legible(figure, smallest=8.0):
    """Every text is inside the figure, large enough, and on no other."""
    texts = visible_texts(figure)
    assert texts
    width, height = figure.canvas.get_width_height()
    for text, box in texts:
        assert text.get_fontsize() >= smallest, text.get_text()
        inside = box.x0 >= -1 and box.y0 >= -1
        inside &= box.x1 <= width + 1 and box.y1 <= height + 1
        assert inside, f"{text.get_text()!r} leaves the figure: {box}"
    for (first, one), (second, other) in itertools.combinations(texts, 2):
        across = min(one.x1, other.x1) - max(one.x0, other.x0)
        along = min(one.y1, other.y1) - max(one.y0, other.y0)
        assert across <= 0.5 or along <= 0.5, (
            f"{first.get_text()!r} lies on {second.get_text()!r}"
        )

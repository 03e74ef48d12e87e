"""The look serves every reader."""

import re

import pytest

from keras_plex.tasks.reports.style import STYLE

LIGHT, DARK, PAPER = [
    dict(re.findall(r"--(\w+):(#[0-9a-f]+)", block))
    for block in re.findall(r":root\{([^}]*)\}", STYLE)
]


def luminance(color):
    digits = color[1:]
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colors", [LIGHT, DARK, PAPER])
def test_text_and_lines_have_the_contrast_of_wcag(colors):
    for name in ("ink", "muted", "accent", "good", "bad"):
        for ground in ("card", "page"):
            assert contrast(colors[name], colors[ground]) >= 4.5, name
    for name in ("c0", "c1", "c2", "c3", "c4", "c5"):
        assert contrast(colors[name], colors["card"]) >= 3.0, name


def test_all_colours_are_there_in_the_dark_and_on_paper():
    assert set(LIGHT) == set(DARK) == set(PAPER)
    used = set(re.findall(r"var\(--(\w+)\)", STYLE)) - {"c"}
    assert used <= set(LIGHT)


def test_braces_pair():
    assert STYLE.count("{") == STYLE.count("}")
    assert "prefers-color-scheme:dark" in STYLE and "@media print" in STYLE

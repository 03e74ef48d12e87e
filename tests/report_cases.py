"""Small reports, and a strict reader of their pages."""

import html.parser
import math

import numpy as np

from keras_plex.tasks import Report
from keras_plex.tasks import TaskResult
from keras_plex.tasks.reports.result import Value

VOID = {"meta", "wbr"}
ADDRESSES = ("action", "data", "href", "poster", "src", "srcset", "xlink:href")
NASTY = '<script>alert("1")</script> & \'|\n"x"'


class Page(html.parser.HTMLParser):
    """The text and the elements of a page; raises for tags that do not pair."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(str(text))
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        assert len(dict(attributes)) == len(attributes), f"{tag}: twice"
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"stray </{tag}>"

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return "".join(self.texts)

    def named(self, tag):
        return [found for name, found in self.tags if name == tag]

    def classed(self, kind):
        return [
            (tag, found)
            for tag, found in self.tags
            if kind in (found.get("class") or "").split()
        ]


def read_page(text):
    """The page, after what holds of every page: it asks for nothing."""
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    ids = [found["id"] for _, found in page.tags if "id" in found]
    assert len(ids) == len(set(ids)), "an id is there twice"
    for tag, found in page.tags:
        assert tag not in ("script", "link", "iframe", "img", "object"), tag
        for name, value in found.items():
            assert not name.startswith("on"), f"{tag} {name}"
            if name in ADDRESSES:
                assert value[0] == "#" and value[1:] in ids, value
    assert "url(" not in text and "@import" not in text
    assert "prefers-color-scheme:dark" in text
    for figure in page.named("svg"):
        assert figure.get("aria-hidden") or figure["aria-label"].strip()
    for words in ("nan", "NaN", "inf"):
        for _, found in page.tags:
            for name in ("d", "x", "y", "cx", "cy", "width", "transform"):
                assert words not in found.get(name, ""), found
    return page


def value(number, *, higher=True, spread=0.1, seed=0, resamples=50):
    """A value whose resamples lie around it."""
    generator = np.random.default_rng(seed)
    drawn = generator.normal(number, spread, resamples).astype("float32")
    return Value(number, number - spread, number + spread, higher, drawn)


def result(name, measures, **changes):
    """A result with the values by name; the first is headline and scored."""
    values = {
        key: one if isinstance(one, Value) else value(one)
        for key, one in measures.items()
    }
    first = next(iter(values))
    arguments = {
        "name": name,
        "kind": name,
        "category": "uncertainty",
        "headline": first,
        "scored": (first,),
        "measures": values,
        "num_examples": {"test": 300},
        "num_classes": 4,
        "seconds": 1.5,
        "curves": {},
        **changes,
    }
    return TaskResult(**arguments)


def report(*results, **changes):
    arguments = {
        "model": "vit",
        "parameters": 1234,
        "ensemble_size": 3,
        "results": results,
        "settings": {"seed": 0, "resamples": 50, "max_examples": None},
        "environment": {"backend": "tensorflow", "platform": "linux"},
        "seconds": 2.0,
        **changes,
    }
    return Report(**arguments)


CURVES = {
    "reliability": {
        "weight": [0.0, 0.0, 10.0, 20.0, 0.0],
        "confidence": [0.0, 0.0, 0.5, 0.7, 0.0],
        "accuracy": [0.0, 0.0, 0.4, 0.8, 0.0],
    },
    "confidence": {
        "edges": [0.0, 0.5, 1.0],
        "right": [0.25, 0.75],
        "wrong": [0.5, 0.5],
    },
    "risk_coverage": {"coverage": [0.5, 1.0], "risk": [0.1, 0.2]},
    "score_histograms": {
        "a/b/msp": {
            "edges": [0.0, 1.0, 2.0],
            "known": [0.75, 0.25],
            "unknown": [0.0, 1.0],
        },
        "a/b/entropy": {
            "edges": [0.0, 1.0, 2.0],
            "known": [0.75, 0.25],
            "unknown": [0.0, 1.0],
        },
    },
    "severities": {
        "fog": {
            "severity": [0, 1, 5],
            "accuracy": [0.9, 0.8, 0.5],
            "nll": [0.1, 0.2, 0.9],
            "ece": [0.01, 0.02, 0.2],
        }
    },
    "shifted": {
        "names": ["clean", "night"],
        "weight": [100, 50],
        "accuracy": [0.9, 0.6],
    },
    "groups": {
        "names": ["a", "b"],
        "weight": [10, 20],
        "accuracy": [0.5, 0.25],
    },
    "entropies": {"annotators": [0.0, 0.5], "forecast": [0.1, 0.6]},
    "active_learning": {
        "labels": [20, 40],
        "margin": [0.5, 0.9],
        "uniform": [0.5, 0.8],
    },
    "few_shot": {
        "shots": [1, 5, 25],
        "ece": [0.3, 0.2, 0.1],
        "auroc": [0.5, 0.6, 0.8],
        "noise/auroc": [0.5, 0.5, 0.7],
        "night/auroc": [0.5, 0.7, math.nan],
    },
    "shots": [1, 5, 25],
    "accuracy": [0.2, 0.5, math.nan],
}

"""Pictures of reliability, drawn with matplotlib."""

from keras_plex.plots.member_disagreement_diagram import (
    member_disagreement_diagram,
)
from keras_plex.plots.reliability_diagram import reliability_diagram
from keras_plex.plots.risk_coverage_diagram import risk_coverage_diagram
from keras_plex.plots.score_histograms import score_histograms

__all__ = [
    "member_disagreement_diagram",
    "reliability_diagram",
    "risk_coverage_diagram",
    "score_histograms",
]

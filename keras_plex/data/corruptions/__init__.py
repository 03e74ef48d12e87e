"""Corruptions of images and texts, with five severities each."""

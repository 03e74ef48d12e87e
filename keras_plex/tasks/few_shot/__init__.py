"""Probes that learn from a few examples of each class."""

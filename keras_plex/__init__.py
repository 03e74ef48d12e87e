"""Reliable Keras models."""

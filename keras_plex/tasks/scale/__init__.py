"""Evaluations in shards, on many machines."""

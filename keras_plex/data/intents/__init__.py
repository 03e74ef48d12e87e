"""Intents of several public collections, joined."""

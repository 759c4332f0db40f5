"""Boxes that may hold an object, proposed by an image's own regions: no network, no labels."""

"""Rows compared with another one on the same images."""

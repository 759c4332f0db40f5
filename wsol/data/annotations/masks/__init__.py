"""Masks in all forms: files, outlines, run lengths."""

"""Pretrained weights: files, library names, other projects' formats, and the classes they know."""

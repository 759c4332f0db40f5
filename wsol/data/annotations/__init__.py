"""Annotations in the formats people use: COCO JSON, VOC XML, CSV tables, mask PNGs."""

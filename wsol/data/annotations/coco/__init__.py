"""COCO JSON, read entry by entry."""

"""Data sets: their layouts and annotations, one manifest for all, splits, loading, inspection."""

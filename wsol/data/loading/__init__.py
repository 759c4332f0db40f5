"""A split of a manifest as batches of images for the network."""

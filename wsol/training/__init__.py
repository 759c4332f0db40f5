"""Training: the loop, its checkpoints, and picking up where it stopped."""

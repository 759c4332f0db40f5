"""What scoring leaves of each image, and what is computed from it."""

"""Whether a row is better than another one on the same images."""

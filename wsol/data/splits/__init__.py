"""Which images are held out, by seed or by fold, copies of a picture together."""

"""What small changes of the image that are made against a network do to its class and its box."""

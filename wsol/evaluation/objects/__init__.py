"""Several objects an image: predictions and true objects matched one to one, and what follows."""

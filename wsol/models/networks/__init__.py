"""Networks by name, from timm, torchvision and here, with fresh weights."""

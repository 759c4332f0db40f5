"""What lies below a folder: images, and what is left out."""

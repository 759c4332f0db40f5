"""What changes how a source is read: of mirrored images too, or of images of several sizes."""

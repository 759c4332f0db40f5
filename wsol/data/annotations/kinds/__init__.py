"""What a file of annotations is, by its content."""

"""The contours of a score map at every threshold, and the IoU of their boxes with the truth."""

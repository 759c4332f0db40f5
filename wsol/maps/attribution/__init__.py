"""Maps in the pixels of the image: what of it the score of a class hangs on, through captum."""

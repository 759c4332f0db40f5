"""Images drawn with replacement, and what metrics say of the draws."""

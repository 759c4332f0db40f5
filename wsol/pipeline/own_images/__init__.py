"""The verbs for one's own images: scored where they are annotated, localized where they are not."""

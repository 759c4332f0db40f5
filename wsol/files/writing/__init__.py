"""Writing whole or not at all, and what to say where the system refuses."""

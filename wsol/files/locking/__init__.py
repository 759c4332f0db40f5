"""A folder is held by one process, on one machine and between machines."""

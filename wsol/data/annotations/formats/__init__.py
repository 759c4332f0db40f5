"""The other formats that annotation tools write: a file each."""

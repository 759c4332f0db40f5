"""Files, written whole or not at all: PNGs, masks, tables, hashed arrays."""

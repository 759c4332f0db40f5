"""The record of a scored run: its identity, its checks, and how it reaches the disk whole.

Everything here is NumPy and the standard library: reading records costs no torch.
"""

from wsol.scores.records.identity import content_id, digest
from wsol.scores.records.record import LARGEST_RECORD, SCHEMA_VERSION, RunRecord

__all__ = ["LARGEST_RECORD", "SCHEMA_VERSION", "RunRecord", "content_id", "digest"]

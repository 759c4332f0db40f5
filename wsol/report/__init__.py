"""Run records, curves and overlays to one static HTML page."""

from wsol.report.gallery import KEPT, Tile, gallery_images, save_gallery
from wsol.report.overlay import draw_overlay
from wsol.report.page import write_report

__all__ = ["KEPT", "Tile", "draw_overlay", "gallery_images", "save_gallery", "write_report"]

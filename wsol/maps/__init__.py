"""Where score maps come from: a localizer's own maps, a post-hoc method, a baseline.

A source is named on the command line and in the board: ``cam``, ``cam@t=1``, ``attention``,
``attention:<name>``, ``features``, ``center``, ``gaussian``, ``torchcam:<method>``.
Folders of maps made elsewhere are read by `wsol.evaluation.map_folder`; their rows are ``files``.
"""

from __future__ import annotations

# What `wsol list maps` prints. No torch is imported to print it.
SOURCES = {
    "cam": "class map of the true class",
    "cam@predicted": "class map of the predicted class, for images of unknown class",
    "cam@t=<t>": "the same with feedback attention lowered to t steps",
    "attention": "the attention module's default map",
    "attention:<name>": "one of the attention module's own maps, by name",
    "features": "channel mean of the last features, class-agnostic baseline",
    "center": "the centred box that grows as the threshold falls, no model",
    "gaussian": "a centred Gaussian, baseline of masks",
    "background, foreground": "none or all of the image, baselines of masks scored a class",
    "torchcam:<method>": "a post-hoc method of torchcam, e.g. GradCAM, LayerCAM",
    "files": "score maps from a folder (evaluate --maps DIR)",
}

"""Attention-map interpretability explorer: look inside the heads of pretrained transformers.

>>> import explorer
>>> model = explorer.load_model("minilm")
>>> cap = explorer.capture(model, "She ate an apple.")
>>> cap.attention(layer=3, head=7).shape
(7, 7)
"""

__version__ = "0.1.0"

from explorer.cli import starting

if starting.is_program():
    # It takes what a command needs from the modules: help and completion do without torch.
    starting.end_when_interrupted()
else:
    from explorer.analysis import experiments
    from explorer.analysis.measures import MEASURES, head_distance, norm_weights, pattern_match
    from explorer.analysis.projection import project
    from explorer.capture.capture import Capture, capture
    from explorer.capture.loading import LoadedModel, load_model
    from explorer.capture.stack import Stack
    from explorer.notebook import View, show, view
    from explorer.records import ModelError

__all__ = [
    "MEASURES",
    "Capture",
    "LoadedModel",
    "ModelError",
    "Stack",
    "View",
    "capture",
    "experiments",
    "head_distance",
    "load_model",
    "norm_weights",
    "pattern_match",
    "project",
    "show",
    "view",
]

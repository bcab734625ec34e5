"""Attention-map interpretability explorer: look inside the heads of pretrained transformers.

>>> import explorer
>>> model = explorer.load_model("minilm")
>>> cap = explorer.capture(model, "She ate an apple.")
>>> cap.attention(layer=3, head=7).shape
(7, 7)
"""

__version__ = "0.1.0"

from explorer import starting

if starting.is_program():
    # It takes what a command needs from the modules: help and completion do without torch.
    starting.end_when_interrupted()
else:
    from explorer import experiments
    from explorer.capture import Capture, capture
    from explorer.measures import MEASURES, head_distance, norm_weights, pattern_match
    from explorer.models import LoadedModel, load_model
    from explorer.notebook import View, show, view
    from explorer.projection import project
    from explorer.records import ModelError
    from explorer.stack import Stack

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

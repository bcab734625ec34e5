"""A head's weight matrices with their inputs, which are cached for each layer."""

from __future__ import annotations

from explorer.analysis.head_maps import head_maps
from explorer.records import HeadMaps
from explorer.session.requests import TextRequest
from explorer.session.session import Session


def head_maps_of(session: Session, request: TextRequest, stack: str | None, layer: int, head: int) -> HeadMaps:
    """A head's linear maps, with their inputs and outputs.

    Raises:
        ValueError: layer, head or stack out of range.
        ModelError: the model failed, or how it stores its weight matrices is not known.
    """
    request = session.read_of(request)
    cap = session.capture(request)
    inputs = session.get_or_compute(("inputs", request, stack), lambda: cap.attention_inputs(stack))
    return head_maps(cap, layer, head, stack, inputs)

"""Models and captures by least recent use."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Self

from explorer.capture.capture import Capture, capture
from explorer.capture.loading import LoadedModel, Progress, load_model
from explorer.session.cache import Results
from explorer.session.requests import ModelFacts, TextRequest, request_of

log = logging.getLogger(__name__)

_KEPT = {"study": 3, "inputs": 5}  # vectors of hundreds of sentences, of every layer


class Shelf:
    """Models and captures by least recent use, bounded by count and by bytes.

    All models are of one device and precision; ``revisions`` has the hub revision of those that
    are pinned to one, by name. A capture that was dropped is made again when it is asked for, so
    a page never has to know. What several threads ask for at once is made once: one makes it,
    the others wait. A model runs one text at a time by itself (``LoadedModel.lock``), so a long
    experiment lets another text in between two of its own.
    """

    def __init__(
        self,
        device: str = "auto",
        dtype: str = "float32",
        revisions: Mapping[str, str] | None = None,
        drop_unread: bool = True,
        max_models: int = 2,
        max_capture_bytes: int = 2 * 1024**3,
    ) -> None:
        self._device = device
        self._dtype = dtype
        self._revisions = dict(revisions or {})
        self._drop_unread = drop_unread
        self._max_models = max_models
        self._max_bytes = max_capture_bytes
        self._models: OrderedDict[str, LoadedModel] = OrderedDict()
        self._captures: OrderedDict[TextRequest, Capture] = OrderedDict()
        self._results = Results(_KEPT)
        self._lock = threading.RLock()
        # What is told of work whose caller asks for no progress; a command sets it.
        self.tell: Progress | None = None

    def model(self, name: str, progress: Progress | None = None) -> LoadedModel:
        """A model, loaded now if it is not there.

        Raises:
            ValueError: an unusable name.
            ModelError: it cannot be loaded; the models that are there stay.
        """
        progress = progress or self.tell
        with self._results.turn(("model", name), progress):
            with self._lock:
                if name in self._models:
                    self._models.move_to_end(name)
                    return self._models[name]
            loaded = load_model(
                name, self._device, self._dtype, self._revisions.get(name), progress=_telling_the_terminal(progress)
            )
            with self._lock:
                self._models[name] = loaded
                while len(self._models) > self._max_models:
                    self._forget(next(iter(self._models)))
            return loaded

    @classmethod
    def of(cls, cap: Capture, revisions: Mapping[str, str] | None = None) -> Self:
        """One that has this capture and its model at hand."""
        shelf = cls(cap.loaded.device, cap.loaded.dtype, revisions)
        shelf._models[cap.model_name] = cap.loaded
        shelf._captures[request_of(cap, cap.target)] = cap
        return shelf

    def provenance(self, name: str) -> dict[str, str | None]:
        """What a file tells of a model, so that another can tell whether it has the same.

        Raises:
            ValueError: an unusable name.
            ModelError: it cannot be loaded.
        """
        loaded = self.model(name)
        return {
            "revision": loaded.revision,
            "checksum": f"sha256:{loaded.checksum}",
            "device": loaded.device,
            "dtype": loaded.dtype,
        }

    def read_of(self, request: TextRequest, progress: Progress | None = None) -> TextRequest:
        """A request without the second text or target that its model does not read.

        The page hides their fields, which may hold what was typed for another model. With
        ``drop_unread`` off the request is as it was, and ``capture`` refuses them.

        Raises:
            ValueError: an unusable name.
            ModelError: the model cannot be loaded.
        """
        if not self._drop_unread or (request.pair is None and request.target is None):
            return request
        model = self.model(request.model, progress)
        return replace(
            request,
            pair=request.pair if model.takes_pairs else None,
            target=request.target if model.is_encoder_decoder else None,
        )

    def capture(self, request: TextRequest, progress: Progress | None = None) -> Capture:
        """A text's capture, made now if it is not there.

        Raises:
            ValueError: a text the model cannot read.
            ModelError: the model cannot be loaded or failed.
        """
        progress = progress or self.tell
        request = self.read_of(request, progress)
        if (kept := self._kept(request)) is not None:
            return kept
        with self._results.turn(request, progress):
            # Another thread may have made it while this one waited.
            if (kept := self._kept(request)) is not None:
                return kept
            model = self.model(request.model, progress)
            if progress:
                progress(f"{request.model} reads the text", None)
            texts = request.text, request.pair, request.target
            made = capture(model, *texts, truncate=request.truncate)
            with self._lock:
                self._captures[request] = made
                while len(self._captures) > 1 and self.capture_bytes() > self._max_bytes:
                    self._captures.popitem(last=False)
        return made

    def facts(self, name: str) -> ModelFacts | None:
        """What is known of a model that is loaded; None if it is not."""
        with self._lock:
            model = self._models.get(name)
        if model is None:
            return None
        megabytes = (model.memory_bytes() + self.capture_bytes()) / 1e6
        eager = " · eager" if model.method == "eager" else ""
        line = f"{model.device} · {model.dtype} · {megabytes:,.0f} MB{eager}"
        return ModelFacts(line, model.takes_pairs, model.is_encoder_decoder)

    def capture_bytes(self) -> int:
        """Bytes that all kept captures hold."""
        with self._lock:
            return sum(cap.nbytes for cap in self._captures.values())

    def _kept(self, request: TextRequest) -> Capture | None:
        with self._lock:
            if request in self._captures:
                self._captures.move_to_end(request)
            return self._captures.get(request)

    def _forget(self, name: str) -> None:
        del self._models[name]
        for request in [r for r in self._captures if r.model == name]:
            del self._captures[request]


def _telling_the_terminal(progress: Progress | None) -> Progress:
    """Pass a model's loading on to the page, and each new step to the log."""
    last = ""

    def tell(sentence: str, share: float | None) -> None:
        nonlocal last
        if sentence != last:
            log.info("%s …", sentence)
            last = sentence
        if progress:
            progress(sentence, share)

    return tell

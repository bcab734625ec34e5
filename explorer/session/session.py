"""Loaded models, and a cache of captures and of what the views compute from them."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Self, TypeVar

from explorer.capture.capture import Capture, capture
from explorer.capture.loading import LoadedModel, Progress, load_model
from explorer.session.cache import Cache
from explorer.session.requests import ModelFacts, TextRequest, request_of

log = logging.getLogger(__name__)

T = TypeVar("T")


class Session:
    """Models bounded by count; captures and results bounded by bytes, least recently used first.

    All models are on one device and in one precision. A result that was dropped is computed again
    when it is asked for. A model runs one text at a time (``LoadedModel.lock``), so a long
    experiment lets another text in between two of its own.

    Args:
        device: where models run, as in ``load_model``.
        dtype: their precision.
        revisions: the hub revision of those models that are pinned to one, by name.
        drop_unread: leave out a second text or target that a model does not read; otherwise
            ``capture`` refuses it.
        max_models: how many models stay loaded.
        max_bytes: how much captures and results may hold together.
    """

    def __init__(
        self,
        device: str = "auto",
        dtype: str = "float32",
        revisions: Mapping[str, str] | None = None,
        drop_unread: bool = True,
        max_models: int = 2,
        max_bytes: int = 2 * 1024**3,
    ) -> None:
        self._device = device
        self._dtype = dtype
        self._revisions = dict(revisions or {})
        self._drop_unread = drop_unread
        self._max_models = max_models
        self._models: OrderedDict[str, LoadedModel] = OrderedDict()
        self._cache = Cache(max_bytes)
        self._lock = threading.RLock()
        self.progress: Progress | None = None  # of work whose caller gives none; a command sets it

    @classmethod
    def of(cls, cap: Capture, revisions: Mapping[str, str] | None = None) -> Self:
        """A session that has a capture and its model at hand."""
        session = cls(cap.loaded.device, cap.loaded.dtype, revisions)
        session._models[cap.model_name] = cap.loaded
        session._cache.put(("capture", request_of(cap, cap.target)), cap)
        return session

    def get_or_compute(
        self, key: tuple[Hashable, ...], compute: Callable[[], T], progress: Progress | None = None
    ) -> T:
        """A result by its key, computed now if it is not in the cache (see ``Cache.get_or_compute``).

        The key holds the request or the model's name that the result is of: with the model it is
        dropped.
        """
        return self._cache.get_or_compute(key, compute, progress or self.progress)

    def model(self, name: str, progress: Progress | None = None) -> LoadedModel:
        """A model, loaded now if it is not there.

        Raises:
            ValueError: an unusable name.
            ModelError: it cannot be loaded; the models that are there stay.
        """
        progress = progress or self.progress
        with self._cache.key_lock(("model", name), progress):
            with self._lock:
                if name in self._models:
                    self._models.move_to_end(name)
                    return self._models[name]
            loaded = load_model(name, self._device, self._dtype, self._revisions.get(name), progress=_logged(progress))
            with self._lock:
                self._models[name] = loaded
                while len(self._models) > self._max_models:
                    self._forget(next(iter(self._models)))
            return loaded

    def provenance(self, name: str) -> dict[str, str | None]:
        """What a file says of a model, so that another can tell whether it has the same.

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
        if not self._drop_unread or not (request.pair or request.target):
            return request
        model = self.model(request.model, progress)
        return replace(
            request,
            pair=request.pair if model.takes_pairs else "",
            target=request.target if model.is_encoder_decoder else "",
        )

    def capture(self, request: TextRequest, progress: Progress | None = None) -> Capture:
        """The capture of a text, made now if it is not in the cache.

        Raises:
            ValueError: a text the model cannot read.
            ModelError: the model cannot be loaded or failed.
        """
        progress = progress or self.progress
        request = self.read_of(request.request, progress)

        def run() -> Capture:
            model = self.model(request.model, progress)
            if progress:
                progress(f"{request.model} reads the text", None)
            texts = request.text, request.pair or None, request.target or None
            return capture(model, *texts, truncate=request.truncate)

        return self.get_or_compute(("capture", request), run, progress)

    def facts(self, name: str) -> ModelFacts | None:
        """What is known of a model that is loaded; None if it is not."""
        with self._lock:
            model = self._models.get(name)
        if model is None:
            return None
        megabytes = (model.memory_bytes() + self.nbytes) / 1e6
        eager = " · eager" if model.method == "eager" else ""
        line = f"{model.device} · {model.dtype} · {megabytes:,.0f} MB{eager}"
        return ModelFacts(line, model.takes_pairs, model.is_encoder_decoder)

    @property
    def nbytes(self) -> int:
        """Bytes that captures and results hold together."""
        return self._cache.nbytes

    def _forget(self, name: str) -> None:
        del self._models[name]
        self._cache.drop(lambda key: any(part == name or getattr(part, "model", None) == name for part in key))


def _logged(progress: Progress | None) -> Progress:
    """Progress of a model's loading, each new step of it in the log as well."""
    last = ""

    def report(sentence: str, share: float | None) -> None:
        nonlocal last
        if sentence != last:
            log.info("%s …", sentence)
            last = sentence
        if progress:
            progress(sentence, share)

    return report

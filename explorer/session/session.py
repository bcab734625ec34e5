"""What a running explorer works out of its models and captures, and keeps a while."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.analysis.experiments import induction_probe, nulls_of
from explorer.analysis.head_maps import head_maps
from explorer.analysis.identities import identities
from explorer.analysis.measures import best_offset, compute_all, head_distance
from explorer.analysis.positions import embedding_sum, positions
from explorer.analysis.readout import meaning
from explorer.analysis.vocabulary import vocabulary_sample
from explorer.capture.capture import Capture, capture
from explorer.capture.loading import Progress
from explorer.records import (
    BestOffsets,
    EmbeddingSum,
    FloatArray,
    HeadDistances,
    HeadMaps,
    HeadsOverview,
    Identity,
    Meaning,
    ModelError,
    Null,
    PlaneOptions,
    Positions,
    QueryRow,
    WordLayers,
    WordProjection,
    WordSimilarity,
    WordStudy,
)
from explorer.session.models_cache import Shelf
from explorer.session.requests import StudyRequest, TextRequest
from explorer.views.embeddings.embeddings.compute import word_projection, word_projections
from explorer.views.embeddings.layers.compute import word_layers
from explorer.views.embeddings.similarity.compute import word_similarity
from explorer.views.embeddings.study import word_study
from explorer.views.heads.distances.compute import head_distances
from explorer.views.heads.overview.compute import heads_overview
from explorer.views.inside.worksheet.compute import query_row


class Session(Shelf):
    """A shelf of models and captures, and what is worked out of them: each made once, kept a while.

    What several threads ask for at once one of them makes; the others wait.
    """

    def overview(self, request: TextRequest, stack: str | None, progress: Progress | None = None) -> HeadsOverview:
        """Every head of a captured text as a small map; of the first stack where it has no such."""
        progress = progress or self.tell
        request = self.read_of(request, progress)
        cap = self.capture(request, progress)
        name = stack if stack in cap.stacks else cap.stacks[0]
        return self._results.once(
            ("overview", request, name), lambda: heads_overview(cap, name, progress=progress), progress
        )

    def measures(self, request: TextRequest, stack: str, progress: Progress | None = None) -> dict[str, FloatArray]:
        """Every per-head measure of a captured text, by name: [L, H] each."""
        progress = progress or self.tell
        request = self.read_of(request, progress)
        return self._results.once(
            ("measures", request, stack),
            lambda: compute_all(self.capture(request, progress), stack, progress=progress),
            progress,
        )

    def nulls(self, request: TextRequest, stack: str, progress: Progress | None = None) -> dict[str, Null]:
        """What every measure gives on the same tokens in random order, by name."""
        progress = progress or self.tell
        request = self.read_of(request, progress)
        return self._results.once(
            ("nulls", request, stack),
            lambda: nulls_of(self.capture(request, progress), stack=stack, progress=progress),
            progress,
        )

    def offsets(self, request: TextRequest, stack: str, progress: Progress | None = None) -> BestOffsets | None:
        """The fixed offset that gathers most of each head's weight; None on cross attention."""
        progress = progress or self.tell
        if stack == "cross":
            return None
        request = self.read_of(request, progress)
        return self._results.once(
            ("offsets", request, stack),
            lambda: best_offset(self.capture(request, progress), stack, progress),
            progress,
        )

    def induction(self, name: str, progress: Progress | None = None) -> FloatArray:
        """Induction scores [L, H] of a model on repeated random tokens."""
        progress = progress or self.tell
        return self._results.once(
            ("induction", name), lambda: induction_probe(self.model(name, progress), progress=progress), progress
        )

    def distances(self, request: TextRequest, stack: str, progress: Progress | None = None) -> HeadDistances:
        """All heads of a captured text as points, near each other where they look alike."""
        progress = progress or self.tell
        request = self.read_of(request, progress)

        def compare() -> HeadDistances:
            cap = self.capture(request, progress)
            apart = head_distance(cap, stack, progress)
            return head_distances(cap, apart, self.measures(request, stack, progress), stack)

        return self._results.once(("distances", request, stack), compare, progress)

    def identities(self, request: TextRequest, progress: Progress | None = None) -> tuple[Identity, ...]:
        """What must be true of any model, checked on a captured text."""
        request = self.read_of(request, progress)
        return self._results.once(
            ("identities", request),
            lambda: identities(self.model(request.model, progress), self.capture(request, progress), progress),
            progress,
        )

    def study(
        self, request: StudyRequest, progress: Progress | None = None, places: Sequence[str] | None = None
    ) -> WordStudy:
        """A word across sentences; ``places`` is what an error calls each of them.

        Raises:
            ValueError: no sentence, an unreadable one (its number is said), or a word that
                is in none.
            ModelError: the model cannot be loaded or failed.
        """
        progress = progress or self.tell

        def collect() -> WordStudy:
            model = self.model(request.model, progress)

            def read(sentence: str) -> Capture:
                # The encoder reads the sentence; a decoder need not generate for that.
                target = sentence if model.is_encoder_decoder else None
                return capture(model, sentence, target=target)

            asked = request.sentences, request.word, request.options
            try:
                return word_study(read, *asked, progress=progress)
            except ValueError:
                # Only an error tells places: what is kept does not depend on who asks first.
                return word_study(read, *asked, places)

        return self._results.once(("study", request), collect, progress)

    def meaning(
        self, request: StudyRequest, members: tuple[int, ...], by_head: bool = True, progress: Progress | None = None
    ) -> Meaning:
        """What a study's word means at one of its occurrences, or the mean of several."""

        def read() -> Meaning:
            study = self.study(request, progress)
            if progress:
                progress("reading the word’s vectors", None)
            return meaning(self.model(request.model, progress), study, members, by_head)

        return self._results.once(("meaning", request, members, by_head), read, progress)

    def positions(self, name: str, progress: Progress | None = None) -> Positions:
        """How a model knows where a token stands."""
        return self._results.once(("positions", name), lambda: positions(self.model(name, progress)), progress)

    def embedding_sum(self, name: str, text: str) -> EmbeddingSum:
        """What a model's first block is given of a text, as a sum."""
        return self._results.once(("entrance", name, text), lambda: embedding_sum(self.model(name), text), None)

    def head_maps(self, request: TextRequest, stack: str | None, layer: int, head: int) -> HeadMaps:
        """A head's linear maps, with what goes in and what comes out.

        Raises:
            ValueError: layer, head or stack out of range.
            ModelError: the model failed, or how it keeps its maps is not known.
        """
        request = self.read_of(request)
        cap = self.capture(request)
        given = self._results.once(("inputs", request, stack), lambda: cap.attention_inputs(stack), None)
        return head_maps(cap, layer, head, stack, given)

    def query_row(self, request: TextRequest, stack: str | None, layer: int, head: int, query: int) -> QueryRow:
        """One query of a head, step by step; with what it is before rotation where that is known.

        Raises:
            ValueError: layer, head, query or stack out of range.
            ModelError: the model failed, or was captured eagerly.
        """
        cap = self.capture(request)
        cap.stack(stack).call(layer, head)
        try:
            maps = self.head_maps(request, stack, layer, head)
        except ModelError:  # an architecture whose maps are not known has a row all the same
            maps = None
        return query_row(cap, layer, head, query, stack, maps)

    def word_layers(self, request: StudyRequest, progress: Progress | None = None) -> WordLayers:
        """A word study measured layer by layer, each measure beside its null."""
        progress = progress or self.tell
        return self._results.once(
            ("word layers", request), lambda: word_layers(self.study(request, progress), progress=progress), progress
        )

    def word_similarity(self, request: StudyRequest, layer: int, progress: Progress | None = None) -> WordSimilarity:
        """Every two occurrences of a word at a layer, and senses proposed for them.

        Raises:
            ValueError: a layer the model does not have.
        """
        return self._results.once(
            ("word similarity", request, layer),
            lambda: word_similarity(self.study(request, progress), layer),
            progress,
        )

    def planes(self, request: StudyRequest, switches: PlaneOptions, layer: int) -> tuple[WordProjection, ...]:
        """A word study's layers, 0…L, in two or three axes; of t-SNE ``layer`` alone."""
        tsne = switches.method == "tsne"

        def bring() -> tuple[WordProjection, ...]:
            study = self.study(request)
            if tsne:
                return (word_projection(study, layer, switches),)
            wanted = switches.basis == "vocabulary"
            sample = vocabulary_sample(self.model(request.model)) if wanted else None
            return word_projections(study, switches, sample)

        return self._results.once(("planes", request, switches, layer if tsne else None), bring, None)

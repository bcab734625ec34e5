"""The pull of a head: what each token adds to a word's vector."""

from __future__ import annotations

from dataclasses import dataclass, replace

from explorer.figures.style import model_stem
from explorer.records import CapturedText, PlaneOptions, Pull, PullPlane, WordStudy
from explorer.session.requests import TextRequest
from explorer.session.session import Session
from explorer.session.settings import State
from explorer.views.embeddings.embeddings import view as plane
from explorer.views.embeddings.embeddings.compute import check_layer, projections_of
from explorer.views.embeddings.pull.compute import pull, pull_plane, pull_table
from explorer.views.embeddings.pull.data import pull_json
from explorer.views.embeddings.pull.figure import heads_picture, pull_picture, stretch
from explorer.views.embeddings.study import study_of
from explorer.views.legacy import Exhibit, Kind
from explorer.views.state import WORD, one_of, study_request, study_settings

ALL = "all"
SEEN, TRUE = "seen", "true"
DEFAULTS = {**WORD, **plane.FIT, "pull_on": 0, "head": ALL, "arrow_length": SEEN}


@dataclass(frozen=True)
class Drawn:
    """A pull on the screen, its arrows ``times`` their length."""

    study: WordStudy
    pulled: Pull
    plane: PullPlane
    times: int


def drawn(session: Session, state: State) -> Drawn:
    """The pull of a state; of the last block where the layer is the result, which none reads.

    Raises:
        ValueError: an unusable sentence, word or layer, or a head or place there is not.
        ModelError: the model cannot be loaded, or was captured eagerly.
    """
    request, place = study_request(state), int(state["pull_on"])
    study = study_of(session, request)
    check_layer(study, int(state["layer"]))
    layer = min(int(state["layer"]), len(study.contextual) - 2)
    cap = sentence_of(session, study, state)
    head = one_of(state, "head", [ALL, *map(str, range(cap.stack().n_heads))])
    pulled = pull(cap, study.occurrences[place], layer, None if head == ALL else int(head))
    shown = projections_of(session, request, with_arrows(plane.switches_of(state)), layer)[layer]
    arrows = pull_plane(place, pulled, shown)
    seen = one_of(state, "arrow_length", (SEEN, TRUE)) == SEEN
    return Drawn(study, pulled, arrows, stretch(arrows) if seen else 1)


def sentence_of(session: Session, study: WordStudy, state: State) -> CapturedText:
    """The pulled occurrence's sentence, as the study read it.

    Raises:
        ValueError: no such occurrence.
    """
    place, last = int(state["pull_on"]), len(study.occurrences) - 1
    if not 0 <= place <= last:
        raise ValueError(f"pull_on={place} is no place of “{study.word}”: use 0 to {last}")
    name, text = str(state["model"]), study.occurrences[place].text
    target = text if session.model(name).is_encoder_decoder else None
    return session.capture(TextRequest(name, text, target=target))


def with_arrows(switches: PlaneOptions) -> PlaneOptions:
    """The plane's switches, without those that have no place for a difference of vectors."""
    normalise = "none" if switches.normalise == "unit" else switches.normalise
    return replace(switches, method="pca", normalise=normalise)


def make(session: Session, state: State) -> Exhibit:
    """The arrows as they are saved, and how far each head moves the word."""
    shown = drawn(session, state)
    study, pulled, arrows = shown.study, shown.pulled, shown.plane
    settings = {
        **{name: state[name] for name in (*plane.FIT, "pull_on", "arrow_length")},
        **study_settings(session, state),
    }
    head = "all-heads" if pulled.head is None else f"head{pulled.head}"
    where = f"sentence{pulled.occurrence.sentence + 1}-layer{pulled.layer}"
    return KIND.exhibit(
        state,
        f"{model_stem(study.model)}-{study.word}-{where}-{head}-pull",
        result=lambda: pull_json(study, pulled, arrows, shown.times, settings),
        table=lambda: pull_table(arrows),
        figures={
            "arrows": lambda look: pull_picture(study, pulled, arrows, shown.times, look.theme),
            "heads": lambda look: heads_picture(study, pulled, arrows, look.theme),
        },
    )


KIND = Kind("pull", "the pull of a head", "/embeddings", "pull", DEFAULTS, make, ("arrows", "heads"))

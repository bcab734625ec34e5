"""The data that the other packages exchange: frozen dataclasses of numpy arrays.

Nothing here imports torch, Dash or a model. Shapes use these letters: N tokens, Q queries,
K keys, L layers, H heads, D width of the residual stream, d width of a head.
"""

from explorer.records.cost import AttentionShape, CacheCost, Costs, CostSettings, Growth, ModelShape, Sharing
from explorer.records.heads import (
    AllHeads,
    BestOffsets,
    HeadComparison,
    HeadDistances,
    HeadLines,
    HeadMap,
    HeadNumbers,
    HeadPoints,
    HeadsOverview,
    HeadsTable,
    MapOptions,
    Null,
    Sink,
    Window,
)
from explorer.records.identities import Claim, Identity, Place
from explorer.records.inside import HeadMaps, HeadOutputs, LinearMap, QueryRow, RightContext
from explorer.records.meaning import Meaning, NearestWords, Reading
from explorer.records.positions import EmbeddingSum, Positions, Rotation
from explorer.records.pull import Arrow, Pull, PullPlane
from explorer.records.senses import AnchorCurves, LayerCurve, Proposals, SenseTest, WordLayers, WordSimilarity
from explorer.records.spaces import LinearMapPlanes, Pair, QueryKeyPoints, TextPoints
from explorer.records.text import (
    AttentionStack,
    BoolArray,
    CapturedText,
    FloatArray,
    IntArray,
    ModelError,
    ScoreParts,
    StackInfo,
    Tokens,
)
from explorer.records.words import (
    ANY_PLACE,
    PLAIN_PARTS,
    PLAIN_PLANE,
    Anchor,
    Basis,
    Occurrence,
    PlaneOptions,
    PlaneParts,
    Projection,
    StudyOptions,
    TokenSample,
    WordDistances,
    WordProjection,
    WordStudy,
)

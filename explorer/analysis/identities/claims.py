"""The identities in words and symbols, in the order they are listed in."""

from __future__ import annotations

from explorer.records import Claim

CLAIMS: dict[str, Claim] = {
    claim.name: claim
    for claim in (
        Claim(
            name="rows",
            title="Each row adds up to 1",
            statement="Every token distributes all of its attention, learned sinks included.",
            formula="Σ_k A[q, k] + sink = 1",
            reading="The error is how far the worst row’s sum is from 1. If it failed, no share of "
            "attention on any page would be a share.",
        ),
        Claim(
            name="masked",
            title="Masked cells are exactly 0",
            statement="A token gets nothing from tokens it may not see, such as later ones.",
            formula="A[q, k] = 0 where k is masked",
            reading="Tokens after the query are masked in a causal model, and tokens outside a sliding "
            "window. The error is the largest weight in such a cell; only 0 passes. If it "
            "failed, a token would look into its future.",
        ),
        Claim(
            name="eager_attention",
            title="The maps are the model’s own",
            statement="Recorded queries and keys give what transformers’ eager attention gives.",
            formula="max |A − A_eager|",
            reading="The model is run a second time with output that transformers itself makes, "
            "without the recorder, and every weight of every head is compared. If it failed, the "
            "maps would show something that the model did not do.",
        ),
        Claim(
            name="eager_states",
            title="Recording changes nothing",
            statement="Every layer’s residual stream is that of the run with eager attention.",
            formula="‖x − x_eager‖ / ‖x_eager‖",
            reading="State 0 is the input of the first block, the last is the model’s output. If it "
            "failed, the vectors on the Embeddings page would be another model’s.",
        ),
        Claim(
            name="eager_logits",
            title="Predictions stay the same",
            statement="The logits are those of the run with eager attention.",
            formula="‖logits − logits_eager‖ / ‖logits_eager‖",
            reading="The language-model head’s scores for every token of the vocabulary, at every "
            "place of the text. A checkpoint without such a head has none.",
        ),
        Claim(
            name="heads_add_up",
            title="The heads add up",
            statement="The sum of the heads’ outputs is the layer’s output projection.",
            formula="Σ_h Σ_k A[h, q, k] v_k W_O[h] + b_O = output",
            reading="The right side is the projection’s output in the second run, before residual and "
            "norm. It proves norm-based weights and single heads’ contributions; if it failed, values "
            "or W_O would be split into heads the wrong way.",
        ),
        Claim(
            name="pca",
            title="The projection is scikit-learn’s PCA",
            statement="The components are scikit-learn’s, up to sign, in every layer.",
            formula="max |c − (±c_scikit-learn)|",
            reading="The first three components, as many as a figure shows, of each state of the "
            "residual stream. A component that explains nothing is left out.",
        ),
        Claim(
            name="variance",
            title="No more is explained than there is",
            statement="The components’ shares of the variance add up to at most 1.",
            formula="Σ_i λ_i / Σ λ ≤ 1",
            reading="The error is the excess of the sum over 1.",
        ),
    )
}

"""What learners of attention ask: the lessons answer these, and say which one where."""

from __future__ import annotations

QUESTIONS = {
    1: "Where exactly does “apple” become the fruit or the company?",
    2: "Does attention change the embeddings?",
    3: "Why does this beat word2vec, and what did n-grams before it lack?",
    4: "Tokens or words? What happens to a word cut into pieces?",
    5: "“Buy an apple and an orange”: how far does orange pull apple?",
    6: "What are values for? Aren’t they the scores?",
    7: "Why three matrices? What does a linear map do to the space?",
    8: "Why average the values by weight; why not take the best match?",
    9: "Dot product, cosine, scaled dot product: what differs, and why √d?",
    10: "Where do the weights come from: learned, or computed anew?",
    11: "Show me one row by hand, with numbers I can check.",
    12: "What is a head? A slice of what? What if heads were added?",
    13: "Who tells one head to do grammar and another meaning?",
    14: "Which head does what in this model, on my sentence?",
    15: "“phone” comes after “apple”: can GPT use it?",
    16: "Self-attention, masked, cross: which is it, and what crosses?",
    17: "Is a transformer a recurrent network with attention?",
    18: "Where does word order come in?",
    19: "What do shared keys and values save? How large is the cache?",
    20: "“This repeats the paper’s words and explains nothing.”",
}

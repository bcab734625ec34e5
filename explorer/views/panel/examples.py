"""Example texts of the Heads page."""

from __future__ import annotations

from explorer.text.example_sets import OPENING_TEXT

EXAMPLE_TEXTS = (
    ("One word, two meanings", OPENING_TEXT),
    ("Who is it?", "The trophy did not fit into the suitcase because it was too big."),
    ("A repeated phrase", "One two three four, one two three four, one two three"),
    ("Nested clauses", "The keys that the man who left early lost are on the table."),
    ("Three scripts", "Peace, שלום, سلام, 平和 🕊️ to all."),
)

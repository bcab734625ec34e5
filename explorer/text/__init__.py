"""Texts: tokens, words, sentences with senses, example sets."""

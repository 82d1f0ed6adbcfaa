//! Text analysis: sentences, words, readability, SEO checks. Pure functions.

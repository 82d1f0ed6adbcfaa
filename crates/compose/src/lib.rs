//! Writing from sources without a model, and checking any writing against its sources. Pure functions.

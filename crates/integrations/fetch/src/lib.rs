//! Reading the web: guarded fetching, readable text, search providers.

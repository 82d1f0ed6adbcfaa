//! Text out of uploaded files: told apart by content, bounded in everything.

use super::{List, Mark};

pub(super) const MARKS: &[(Mark, List)] = &[];

//! Lists and envelopes.

use poem_openapi::{
    Object,
    types::{IsObjectType, ParseFromJSON, ToJSON, Type},
};

/// Where a page stands in the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object)]
pub struct Pagination {
    /// All that match, on all pages.
    pub total: u64,
    /// Counts from 1.
    pub page: u64,
    /// The most that a page holds.
    pub limit: u64,
    pub total_pages: u64,
    /// Whether something comes after this page.
    pub has_more: bool,
}

impl Pagination {
    /// A page of `limit` that begins `offset` in.
    pub fn new(total: u64, offset: u64, limit: u64) -> Self {
        let limit = limit.max(1);
        Self {
            total,
            page: offset / limit + 1,
            limit,
            total_pages: total.div_ceil(limit),
            has_more: offset.saturating_add(limit) < total,
        }
    }

    /// Everything on one page.
    pub fn whole(count: usize) -> Self {
        let count = count as u64;
        Self::new(count, 0, count)
    }
}

/// A list.
#[derive(Debug, Object)]
pub struct List<T: Type + ToJSON + ParseFromJSON> {
    pub data: Vec<T>,
    pub pagination: Pagination,
}

impl<T: Type + ToJSON + ParseFromJSON> List<T> {
    pub fn whole(data: Vec<T>) -> Self {
        Self { pagination: Pagination::whole(data.len()), data }
    }
}

/// A list in the envelope of the Articles API.
#[derive(Debug, Object)]
pub struct ListAnswer<T: Type + ToJSON + ParseFromJSON> {
    /// Always true: errors have a different shape.
    pub success: bool,
    pub data: Vec<T>,
    pub pagination: Pagination,
}

/// One thing in the envelope of the Articles API.
#[derive(Debug, Object)]
pub struct Envelope<T: IsObjectType + ToJSON + ParseFromJSON> {
    /// Always true: errors have a different shape.
    pub success: bool,
    pub data: T,
}

impl<T: IsObjectType + ToJSON + ParseFromJSON> Envelope<T> {
    pub fn of(data: T) -> Self {
        Self { success: true, data }
    }
}

#[cfg(test)]
mod tests {
    use super::Pagination;

    #[test]
    fn pages_are_counted_as_the_documents_show() {
        let shown = Pagination { total: 42, page: 1, limit: 10, total_pages: 5, has_more: true };
        assert_eq!(Pagination::new(42, 0, 10), shown);
        assert_eq!(Pagination::new(42, 40, 10), Pagination { page: 5, has_more: false, ..shown });
        assert_eq!(
            Pagination::new(40, 30, 10),
            Pagination { total: 40, page: 4, total_pages: 4, has_more: false, ..shown }
        );
        assert_eq!(Pagination::new(42, 400, 10), Pagination { page: 41, has_more: false, ..shown });
        assert_eq!(Pagination::whole(0), Pagination { total: 0, page: 1, limit: 1, total_pages: 0, has_more: false });
        assert!(!Pagination::new(5, u64::MAX, 3).has_more);
    }
}

//! Paging: which page is asked for, and where it stands in the whole.

use std::marker::PhantomData;

use poem_openapi::{Object, registry::MetaSchema};

use super::{
    fields::{Member, Reader, describe_default},
    scalar::words,
    values::{Integer, Text},
};

/// How a list is paged.
pub trait Paging: Send + Sync + 'static {
    fn describe(object: &mut MetaSchema);
    /// Where the page begins.
    fn begin(reader: &mut Reader<'_>) -> Option<Begin>;
    /// Whether that stands before `limit`.
    const COMES_FIRST: bool = false;
    /// Another name for `limit`.
    const ALIAS: Option<&'static str> = None;
}

/// Where a page begins.
#[derive(Debug, Clone)]
pub enum Begin {
    Offset(u64),
    /// Counted from 1.
    Page(u64),
    After(Option<String>),
}

type Offset = Integer<0, 10_000_000>;
type Number = Integer<1, 1_000_000>;

/// `page` or `offset` with `limit`, which `page_size` is another name for.
#[derive(Debug)]
pub struct ByNumber;

impl Paging for ByNumber {
    const COMES_FIRST: bool = true;
    const ALIAS: Option<&'static str> = Some("page_size");

    fn describe(object: &mut MetaSchema) {
        describe_default(object, "page", "The page, counted from 1.", &Integer::<1, 1_000_000>(1));
        let about = "How many to skip, instead of `page`; give one of the two.";
        <Option<Offset> as Member>::describe(object, "offset", about);
    }

    fn begin(reader: &mut Reader<'_>) -> Option<Begin> {
        let page = <Option<Number> as Member>::read(reader, "page");
        let offset = <Option<Offset> as Member>::read(reader, "offset");
        match (page?, offset?) {
            (Some(_), Some(_)) => reader.wrong("offset", "is given together with page; give one of the two"),
            (_, Some(offset)) => Some(Begin::Offset(offset.count())),
            (page, None) => Some(Begin::Page(page.map_or(1, Number::count))),
        }
    }
}

/// `limit` and `cursor`.
#[derive(Debug)]
pub struct ByCursor;

impl Paging for ByCursor {
    fn describe(object: &mut MetaSchema) {
        let about = "Where the last page ended, as its `next_cursor` says; the first page when not given.";
        <Option<Text<1, 500>> as Member>::describe(object, "cursor", about);
    }

    fn begin(reader: &mut Reader<'_>) -> Option<Begin> {
        let cursor = <Option<Text<1, 500>> as Member>::read(reader, "cursor")?;
        Some(Begin::After(cursor.map(|cursor| cursor.0)))
    }
}

words! {
    /// Which end of a sorted list comes first.
    pub enum Order { Asc = "asc", Desc = "desc" }
}

/// The page that a query asks for: a field of its declaration.
#[derive(Debug, Clone)]
pub struct Page<P, const DEFAULT: i64 = 20, const MAX: i64 = 100> {
    /// The most that the page holds.
    pub limit: u64,
    /// How many come before it; 0 with a cursor.
    pub offset: u64,
    pub cursor: Option<String>,
    paging: PhantomData<P>,
}

impl<P: Paging, const DEFAULT: i64, const MAX: i64> Page<P, DEFAULT, MAX> {
    /// Where the page stands among `total`.
    pub fn of(&self, total: u64) -> Pagination {
        Pagination::new(total, self.offset, self.limit)
    }
}

impl<P: Paging, const DEFAULT: i64, const MAX: i64> Member for Page<P, DEFAULT, MAX> {
    fn describe(object: &mut MetaSchema, _name: &'static str, _about: &'static str) {
        if P::COMES_FIRST {
            P::describe(object);
        }
        describe_default(object, "limit", "The most to return.", &Integer::<1, MAX>(DEFAULT));
        if !P::COMES_FIRST {
            P::describe(object);
        }
        if let Some(alias) = P::ALIAS {
            <Option<Integer<1, MAX>> as Member>::describe(object, alias, "Another name for `limit`.");
        }
    }

    fn read(reader: &mut Reader<'_>, _name: &'static str) -> Option<Self> {
        let first = P::COMES_FIRST.then(|| P::begin(reader));
        let limit = <Option<Integer<1, MAX>> as Member>::read(reader, "limit");
        let alias = P::ALIAS.map(|alias| (alias, <Option<Integer<1, MAX>> as Member>::read(reader, alias)));
        let begin = first.unwrap_or_else(|| P::begin(reader));
        let limit = match (limit?, alias) {
            (limit, None) => limit,
            (limit, Some((_, Some(None)))) => limit,
            (None, Some((_, Some(other)))) => other,
            (Some(limit), Some((_, Some(Some(other))))) if limit == other => Some(limit),
            (_, Some((alias, Some(_)))) => {
                return reader.wrong(alias, "is another name for limit and differs from it; give one");
            }
            (_, Some((_, None))) => return None,
        };
        let limit = limit.map_or(DEFAULT, |limit| limit.0).unsigned_abs();
        let (offset, cursor) = match begin? {
            Begin::Offset(offset) => (offset, None),
            Begin::Page(page) => ((page - 1) * limit, None),
            Begin::After(cursor) => (0, cursor),
        };
        Some(Self { limit, offset, cursor, paging: PhantomData })
    }
}

/// Where a page stands in the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object)]
pub struct Pagination {
    /// All that match, on all pages.
    pub total: u64,
    /// Counts from 1; where the page begins in the midst of one, the number of that one.
    pub page: u64,
    /// How many come before this page.
    pub offset: u64,
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
            offset,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::kit::{fields::fields, query::testing::read};

    fields! {
        struct Numbered {
            page: Page<ByNumber>,
        }
    }

    fields! {
        struct Skipping {
            page: Page<ByNumber, 50>,
        }
    }

    fields! {
        struct Following {
            page: Page<ByCursor, 25>,
        }
    }

    #[test]
    fn every_way_of_paging_is_read() {
        let numbered = |pairs| read::<Numbered>(pairs).map(|query| (query.page.limit, query.page.offset));
        assert_eq!(numbered(&[]), Ok((20, 0)));
        assert_eq!(numbered(&[("page", "3"), ("page_size", "7")]), Ok((7, 14)));
        assert_eq!(numbered(&[("page", "3"), ("limit", "10")]), Ok((10, 20)));
        assert_eq!(numbered(&[("limit", "10"), ("page_size", "10")]), Ok((10, 0)));
        let twice = "page_size is another name for limit and differs from it; give one".to_owned();
        assert_eq!(numbered(&[("limit", "10"), ("page_size", "11")]), Err(vec![twice]));
        let skipping = read::<Skipping>(&[("offset", "7")]).expect("right").page;
        assert_eq!((skipping.limit, skipping.offset), (50, 7));
        assert_eq!(numbered(&[("offset", "0"), ("page_size", "7")]), Ok((7, 0)));
        let both = "offset is given together with page; give one of the two".to_owned();
        assert_eq!(numbered(&[("offset", "0"), ("page", "1")]), Err(vec![both]));
        let following = read::<Following>(&[("cursor", "abc"), ("limit", "5")]).expect("right").page;
        assert_eq!((following.limit, following.cursor.as_deref()), (5, Some("abc")));
        let errors = read::<Numbered>(&[("page", "0"), ("limit", "x"), ("page_size", "101")]).expect_err("wrong");
        assert_eq!(errors.len(), 3, "{errors:?}");
    }

    #[test]
    fn pages_are_counted_as_the_documents_show() {
        let shown = Pagination { total: 42, page: 1, offset: 0, limit: 10, total_pages: 5, has_more: true };
        assert_eq!(Pagination::new(42, 0, 10), shown);
        assert_eq!(Pagination::new(42, 40, 10), Pagination { page: 5, offset: 40, has_more: false, ..shown });
        assert_eq!(
            Pagination::new(40, 30, 10),
            Pagination { total: 40, page: 4, offset: 30, total_pages: 4, has_more: false, ..shown }
        );
        assert_eq!(Pagination::new(42, 400, 10), Pagination { page: 41, offset: 400, has_more: false, ..shown });
        assert_eq!(
            Pagination::whole(0),
            Pagination { total: 0, page: 1, offset: 0, limit: 1, total_pages: 0, has_more: false }
        );
        assert!(!Pagination::new(5, u64::MAX, 3).has_more);
    }
}

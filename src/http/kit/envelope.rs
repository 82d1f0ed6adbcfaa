//! How the documents wrap an answer: one type for each way. What is ours is bare, and a list of ours is [`List`].

use std::borrow::Cow;

use chrono::Utc;
use poem::http::Uri;
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ToJSON, Type},
};
use serde_json::{Map, Value};

use super::{
    context::RequestContext,
    page::{ByNumber, Page, Pagination, Paging},
    problem::Problem,
    scalar::{Moment, Nullable},
};

/// Makes an object of fields around a `T`, named after `T`.
macro_rules! envelopes {
    ($(
        $(#[doc = $about:literal])*
        $name:ident<T> named $suffix:literal { $($(#[doc = $doc:literal])* $field:ident: $type:ty),* $(,)? }
    )+) => {$(
        $(#[doc = $about])*
        #[derive(Debug)]
        pub struct $name<T> {
            $($(#[doc = $doc])* pub $field: $type,)*
        }

        impl<T: Type> Type for $name<T> {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                format!("{}{}", T::name(), $suffix).into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Reference(Self::name().into_owned())
            }

            fn register(registry: &mut Registry) {
                registry.create_schema::<Self, _>(Self::name().into_owned(), |registry| {
                    let mut object = MetaSchema::new("object");
                    object.description = Some(concat!($($about),*).trim_ascii());
                    $(
                        <$type as Type>::register(registry);
                        if <$type as Type>::IS_REQUIRED {
                            object.required.push(stringify!($field));
                        }
                        let about = Some(concat!($($doc),*).trim_ascii()).filter(|about| !about.is_empty());
                        let schema = <$type as Type>::schema_ref();
                        let schema = schema.merge(MetaSchema { description: about, ..MetaSchema::ANY });
                        object.properties.push((stringify!($field), schema));
                    )*
                    object
                });
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::empty())
            }
        }

        impl<T: Type + ToJSON> ToJSON for $name<T> {
            fn to_json(&self) -> Option<Value> {
                let mut object = Map::new();
                $(
                    let value = self.$field.to_json().filter(|value| <$type as Type>::IS_REQUIRED || !value.is_null());
                    object.extend(value.map(|value| (stringify!($field).to_owned(), value)));
                )*
                Some(Value::Object(object))
            }
        }
    )+};
}

envelopes! {
    /// A list.
    List<T> named "List" {
        data: Vec<T>,
        pagination: Pagination,
    }

    /// One thing, as 001 wraps it.
    ArticlesAnswer<T> named "Answer" {
        /// Always true: errors have a different shape.
        success: bool,
        data: T,
        meta: Meta,
    }

    /// A list, as 001 wraps it.
    ArticlesList<T> named "ListAnswer" {
        /// Always true: errors have a different shape.
        success: bool,
        data: Vec<T>,
        pagination: Pagination,
        meta: Meta,
    }

    /// One thing, as 003 wraps it.
    CloudsAnswer<T> named "Data" {
        data: T,
    }

    /// A list, as 003 wraps it.
    CloudsList<T> named "DataList" {
        data: Vec<T>,
        pagination: CursorPagination,
    }

    /// One thing, as 004 wraps it.
    PlannerAnswer<T> named "Result" {
        /// Always true: errors have a different shape.
        success: bool,
        data: T,
        /// For people.
        message: Option<String>,
        request_id: String,
    }

    /// A list, as 004 wraps it.
    PlannerList<T> named "Results" {
        /// Always true: errors have a different shape.
        success: bool,
        /// All that match, on all pages.
        count: u64,
        /// The address of the next page.
        next: Nullable<String>,
        /// The address of the page before.
        previous: Nullable<String>,
        results: Vec<T>,
        request_id: String,
    }
}

/// About an answer, as 001 has it.
#[derive(Debug, Clone, poem_openapi::Object)]
#[oai(rename = "AnswerMeta")]
pub struct Meta {
    pub request_id: String,
    /// When it was answered.
    pub timestamp: Moment,
    /// Seconds to wait; as the header `Retry-After`, and only with it.
    #[oai(skip_serializing_if_is_none)]
    pub retry_after: Option<u64>,
}

impl Meta {
    pub fn now(request_id: &str) -> Self {
        Self { request_id: request_id.to_owned(), timestamp: Moment(Utc::now()), retry_after: None }
    }
}

/// Where a page with a cursor stands.
#[derive(Debug, Clone, PartialEq, Eq, poem_openapi::Object)]
pub struct CursorPagination {
    /// Whether something comes after this page.
    pub has_more: bool,
    /// What `cursor` says to get the next page.
    pub next_cursor: Nullable<String>,
    /// All that match, on all pages.
    pub total_count: u64,
}

/// Rows as clients see them.
pub fn views<R, V>(rows: impl IntoIterator<Item = R>) -> Result<Vec<V>, Problem>
where
    V: TryFrom<R>,
    Problem: From<V::Error>,
{
    rows.into_iter().map(|row| V::try_from(row).map_err(Problem::from)).collect()
}

impl<T> List<T> {
    /// A page of rows as clients see them.
    pub fn page<R, P: Paging, const DEFAULT: i64, const MAX: i64>(
        rows: Vec<R>,
        total: u64,
        page: &Page<P, DEFAULT, MAX>,
    ) -> Result<Self, Problem>
    where
        T: TryFrom<R>,
        Problem: From<T::Error>,
    {
        Ok(Self { data: views(rows)?, pagination: page.of(total) })
    }

    /// Everything on one page.
    pub fn whole(data: Vec<T>) -> Self {
        Self { pagination: Pagination::whole(data.len()), data }
    }
}

impl<T> CloudsList<T> {
    /// A page; `next_cursor` is there when something comes after it.
    pub fn page<R>(rows: Vec<R>, total: u64, next_cursor: Option<String>) -> Result<Self, Problem>
    where
        T: TryFrom<R>,
        Problem: From<T::Error>,
    {
        let (has_more, next_cursor) = (next_cursor.is_some(), next_cursor.into());
        Ok(Self { data: views(rows)?, pagination: CursorPagination { has_more, next_cursor, total_count: total } })
    }
}

impl<T> PlannerAnswer<T> {
    pub fn of(data: T, context: &RequestContext) -> Self {
        Self { success: true, data, message: None, request_id: context.id.clone() }
    }
}

impl<T> PlannerList<T> {
    /// A page; the addresses of its neighbours keep the filters.
    pub fn page<R, const DEFAULT: i64, const MAX: i64>(
        rows: Vec<R>,
        total: u64,
        page: &Page<ByNumber, DEFAULT, MAX>,
        context: &RequestContext,
    ) -> Result<Self, Problem>
    where
        T: TryFrom<R>,
        Problem: From<T::Error>,
    {
        let at = page.of(total);
        let beside = |number: u64| Some(number).filter(|number| (1..=at.total_pages).contains(number));
        let address = |number: u64| Nullable(beside(number).map(|number| address_of(&context.uri, number)));
        Ok(Self {
            success: true,
            count: total,
            next: address(at.page + 1),
            previous: address(at.page - 1),
            results: views(rows)?,
            request_id: context.id.clone(),
        })
    }
}

/// The address of another page of the same list, which begins at a page and no longer at an offset.
fn address_of(uri: &Uri, page: u64) -> String {
    let is_kept = |pair: &&str| !pair.is_empty() && !pair.starts_with("page=") && !pair.starts_with("offset=");
    let kept = uri.query().unwrap_or_default().split('&').filter(is_kept);
    let query: Vec<String> = kept.map(str::to_owned).chain([format!("page={page}")]).collect();
    format!("{}?{}", uri.path(), query.join("&"))
}

impl<T> ArticlesAnswer<T> {
    pub fn of(data: T, context: &RequestContext) -> Self {
        Self { success: true, data, meta: Meta::now(&context.id) }
    }
}

impl<T> ArticlesList<T> {
    /// A page of rows as clients see them.
    pub fn page<R, P: Paging, const DEFAULT: i64, const MAX: i64>(
        rows: Vec<R>,
        total: u64,
        page: &Page<P, DEFAULT, MAX>,
        context: &RequestContext,
    ) -> Result<Self, Problem>
    where
        T: TryFrom<R>,
        Problem: From<T::Error>,
    {
        Ok(Self { success: true, data: views(rows)?, pagination: page.of(total), meta: Meta::now(&context.id) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_of_004_names_its_neighbours_and_keeps_the_filters() {
        crate::http::kit::fields::fields! {
            struct Asked {
                page: Page<ByNumber, 2>,
            }
        }
        let of = |number: u64| {
            let address = format!("/api/v1/planner/clusters/?search=a%26b&page={number}&page_size=2");
            let request = poem::Request::builder().uri_str(address).finish();
            let asked: Asked = crate::http::kit::query::testing::read(&[("page", &number.to_string())]).expect("right");
            let list = PlannerList::<u8>::page(vec![1u8], 5, &asked.page, &RequestContext::of(&request, 0));
            let list = list.expect("a page");
            (list.previous.0, list.next.0)
        };
        let elsewhere = Uri::from_static("/api/v1/planner/clusters/?offset=2&page_size=2");
        assert_eq!(address_of(&elsewhere, 2), "/api/v1/planner/clusters/?page_size=2&page=2");
        let page = |number: u8| Some(format!("/api/v1/planner/clusters/?search=a%26b&page_size=2&page={number}"));
        assert_eq!([of(1), of(2), of(3), of(9)], [(None, page(2)), (page(1), page(3)), (page(2), None), (None, None)]);
    }

    #[test]
    fn each_document_gets_its_own_words() {
        let json = |value: Option<Value>| value.expect("JSON");
        let page = Pagination::new(1, 0, 20);
        let shown = json!({ "total": 1, "page": 1, "offset": 0, "limit": 20, "total_pages": 1, "has_more": false });
        assert_eq!(
            json(List { data: vec![1], pagination: page }.to_json()),
            json!({ "data": [1], "pagination": shown })
        );
        let at = Moment(chrono::DateTime::UNIX_EPOCH);
        let meta = || Meta { timestamp: at, ..Meta::now("r") };
        let said = json!({ "request_id": "r", "timestamp": "1970-01-01T00:00:00.000Z" });
        let one = ArticlesAnswer { success: true, data: 1, meta: meta() };
        assert_eq!(json(one.to_json()), json!({ "success": true, "data": 1, "meta": said }));
        let list = ArticlesList { success: true, data: vec![1], pagination: page, meta: meta() };
        assert_eq!(json(list.to_json()), json!({ "success": true, "data": [1], "pagination": shown, "meta": said }));
        assert_eq!(json(CloudsAnswer { data: 1 }.to_json()), json!({ "data": 1 }));
        let pagination = CursorPagination { has_more: false, next_cursor: Nullable(None), total_count: 1 };
        assert_eq!(
            json(CloudsList { data: vec![1], pagination }.to_json()),
            json!({ "data": [1], "pagination": { "has_more": false, "next_cursor": null, "total_count": 1 } })
        );
        let one = PlannerAnswer { success: true, data: 1, message: None, request_id: "r".into() };
        assert_eq!(json(one.to_json()), json!({ "success": true, "data": 1, "request_id": "r" }));
        let (next, previous) = (Nullable(Some("/n".to_owned())), Nullable(None));
        let many = PlannerList { success: true, count: 2, next, previous, results: vec![1], request_id: "r".into() };
        assert_eq!(
            json(many.to_json()),
            json!({ "success": true, "count": 2, "next": "/n", "previous": null, "results": [1], "request_id": "r" })
        );
        assert_eq!(ArticlesAnswer::<bool>::name(), "booleanAnswer");
    }
}

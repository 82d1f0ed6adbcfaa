//! Queries: a declaration of [`super::fields`] read from the address. Every wrong parameter is named, and an empty one
//! counts as absent. An unknown one is named too, or ignored, as [`dialect`] has it for the path.

use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchemaRef, Registry},
};

use super::{
    body::by_name,
    dialect,
    fields::{Errors, Fields, Place, Rules, Source, read_members, refuse_unknown},
    problem::Problem,
};

/// Everything that the query of an operation may say, in one argument. `routes.rs` makes one parameter of each field.
pub struct Query<T>(pub T);

impl<'a, T: Fields> ApiExtractor<'a> for Query<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register_members(registry);
    }

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(MetaSchemaRef::Inline(Box::new(T::schema())))
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let pairs = request.params::<Vec<(String, String)>>()?;
        let refuses_unknown = dialect::refuses_unknown_parameters(request.original_uri().path());
        Ok(Self(read_query(pairs, refuses_unknown)?))
    }
}

pub fn read_query<T: Fields>(pairs: Vec<(String, String)>, refuses_unknown: bool) -> Result<T, Problem> {
    let texts = by_name(pairs);
    let mut errors = Errors::default();
    let read = read_members(Source::Query(&texts), Rules { refuses_unknown, ..T::RULES }, &Place::Root, &mut errors);
    errors.finish(read)
}

/// What an operation without a declaration says to an address with parameters.
pub fn refuse_all(request: &Request) -> Result<(), Problem> {
    if !dialect::refuses_unknown_parameters(request.original_uri().path()) {
        return Ok(());
    }
    let pairs = request.params::<Vec<(String, String)>>().unwrap_or_default();
    let texts = by_name(pairs);
    let mut errors = Errors::default();
    refuse_unknown(Source::Query(&texts), &[], &Place::Root, &mut errors);
    errors.finish(Some(()))
}

#[cfg(test)]
pub mod testing {
    use super::*;

    /// Reads a query as the front does; errors as `parameter message`.
    pub fn read<T: Fields>(pairs: &[(&str, &str)]) -> Result<T, Vec<String>> {
        let pairs = pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        read_query(pairs, true).map_err(crate::http::kit::body::testing::said)
    }
}

#[cfg(test)]
mod tests {
    use galley_domain::task::TaskStatus;
    use uuid::Uuid;

    use super::testing::read;
    use crate::http::kit::{
        fields::fields,
        scalar::Word,
        values::{Integer, Text},
    };

    fields! {
        struct Asked {
            limit: Option<Integer<1, 100>>,
            status: Option<Word<TaskStatus>>,
            search: Option<Text<0, 3>>,
            id: Option<Uuid>,
        }
    }

    #[test]
    fn unknown_parameters_are_named_with_the_known_ones_or_ignored() {
        let known = "is not a parameter here; there are limit, status, search, id";
        let errors = read::<Asked>(&[("limit", "0"), ("page_size", "1"), ("else", "")]).expect_err("unknown");
        let unknown = |name: &str| format!("{name} {known}");
        assert_eq!(errors[1..], [unknown("else"), unknown("page_size")], "beside what else is wrong: {errors:?}");
        let pairs = || vec![("limit".to_owned(), "7".to_owned()), ("else".to_owned(), "1".to_owned())];
        assert_eq!(super::read_query::<Asked>(pairs(), false).expect("right").limit, Some(Integer(7)));
    }

    #[test]
    fn right_absent_and_empty_parameters_are_no_errors() {
        let id = Uuid::from_u128(7);
        let asked: Asked =
            read(&[("status", "failed"), ("search", "a b"), ("id", &id.to_string())]).expect("right in everything");
        let said = (asked.status.map(|word| word.0), asked.search.map(|text| text.0), asked.id);
        assert_eq!(said, (Some(TaskStatus::Failed), Some("a b".to_owned()), Some(id)));
        let limit = |pairs| read::<Asked>(pairs).expect("right").limit;
        assert_eq!(limit(&[("limit", "7")]), Some(Integer(7)));
        assert_eq!((limit(&[]), limit(&[("limit", "")])), (None, None));
    }

    #[test]
    fn wrong_parameters_say_what_would_be_right() {
        let errors = |pairs: &[(&str, &str)]| read::<Asked>(pairs).expect_err("wrong");
        for wrong in ["0", "101", "-1", "1.5", "ten", "99999999999999999999", " 7"] {
            assert_eq!(errors(&[("limit", wrong)]), ["limit must be a whole number from 1 to 100"], "{wrong}");
        }
        assert_eq!(errors(&[("limit", "1"), ("limit", "2")]), ["limit is given more than once; give it once"]);
        assert_eq!(
            errors(&[("status", "done"), ("search", "abcd"), ("id", "7")]),
            [
                "status 'done' is not one of pending, processing, completed, failed, cancelled",
                "search has 4 characters; give at most 3",
                "id must be a UUID",
            ]
        );
        assert_eq!(errors(&[("search", "a\0")]), ["search contains a NUL character; remove it"]);
    }
}

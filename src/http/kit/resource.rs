//! What clients keep by name is served by one declaration: [`resource!`] makes the operations of a list and of what is in
//! it. Those that are not named are not there. `list` is a bare array, as 002 has it; `pages` in its place is a list of ours,
//! with its pages.
//!
//! ```ignore
//! resource! {
//!     pub struct Tones of rows::Tone as Tone in "Area::Articles" at "/tones";
//!     read by ProjectsRead, written by ProjectsWrite;
//!
//!     list "/tones" as "list_tones" {
//!         /// List tones
//!         ///
//!         /// All of them, newest first.
//!     }
//!     create CreateTone "/tones" as "create_tone" {
//!         /// Create a tone
//!     }
//!     get tone_id "/tones/:tone_id" as "get_tone" {
//!         /// Get a tone
//!     }
//!     update UpdateTone tone_id "/tones/:tone_id" as "update_tone" {
//!         /// Change a tone
//!     }
//!     delete tone_id "/tones/:tone_id" as "delete_tone" {
//!         /// Delete a tone
//!     }
//! }
//! ```

use super::{
    fields::fields,
    page::{ByNumber, Page},
};

fields! {
    /// Which page of a list.
    pub struct PageQuery {
        page: Page<ByNumber>,
    }
}

macro_rules! resource {
    (
        $vis:vis struct $api:ident of $row:ty as $view:ident in $area:tt at $base:literal;
        read by $read:ident, written by $write:ident;

        $(list $list_path:tt as $list_id:tt { $(#[doc = $list_about:literal])* })?
        $(pages $pages_path:tt as $pages_id:tt { $(#[doc = $pages_about:literal])* })?
        $(create $new:ident $create_path:tt as $create_id:tt { $(#[doc = $create_about:literal])* })?
        $(get $get_name:ident $get_path:tt as $get_id:tt { $(#[doc = $get_about:literal])* })?
        $(update $change:ident $update_name:ident $update_path:tt as $update_id:tt { $(#[doc = $update_about:literal])* })?
        $(delete $delete_name:ident $delete_path:tt as $delete_id:tt { $(#[doc = $delete_about:literal])* })?
    ) => {
        $vis struct $api;

        #[poem_openapi::OpenApi(prefix_path = "/api/v1", tag = $area)]
        impl $api {
            $($(#[doc = $list_about])*
            #[oai(path = $list_path, method = "get", operation_id = $list_id)]
            async fn list(
                &self,
                auth: $crate::http::kit::auth::Auth<$crate::http::kit::auth::$read>,
            ) -> $crate::http::kit::reply::Outcome<Vec<$view>> {
                let rows = auth.services().list::<$row>(auth.org()).await?;
                Ok($crate::http::kit::reply::Reply::new(rows.into_iter().map(Into::into).collect()))
            })?

            $($(#[doc = $pages_about])*
            #[oai(path = $pages_path, method = "get", operation_id = $pages_id)]
            async fn list(
                &self,
                auth: $crate::http::kit::auth::Auth<$crate::http::kit::auth::$read>,
                query: $crate::http::kit::query::Query<$crate::http::kit::resource::PageQuery>,
            ) -> $crate::http::kit::reply::Outcome<$crate::http::kit::envelope::List<$view>> {
                let page = &query.0.page;
                let (rows, total) = auth.services().list_page::<$row>(auth.org(), page.limit, page.offset).await?;
                Ok($crate::http::kit::reply::Reply::new($crate::http::kit::envelope::List::page(rows, total, page)?))
            })?

            $($(#[doc = $create_about])*
            #[oai(path = $create_path, method = "post", operation_id = $create_id)]
            async fn create(
                &self,
                auth: $crate::http::kit::auth::Auth<$crate::http::kit::auth::$write, $crate::http::kit::auth::Content>,
                key: $crate::http::kit::header::IdempotencyKey,
                body: $crate::http::kit::body::Body<$new>,
            ) -> $crate::http::kit::reply::Outcome<$view, $crate::http::kit::reply::Created> {
                let key = key.with(&body.canonical)?;
                let answer = auth.services().create::<$row>(auth.org(), body.value.into(), key.as_ref()).await?;
                let location = format!(concat!("/api/v1", $base, "/{}"), answer.value.id);
                Ok($crate::http::kit::reply::Reply::of(answer, $view::from).at(&location))
            })?

            $($(#[doc = $get_about])*
            #[oai(path = $get_path, method = "get", operation_id = $get_id)]
            async fn get(
                &self,
                auth: $crate::http::kit::auth::Auth<$crate::http::kit::auth::$read>,
                $get_name: poem_openapi::param::Path<$crate::http::kit::scalar::Id>,
            ) -> $crate::http::kit::reply::Outcome<$view> {
                let row = auth.services().get::<$row>(auth.org(), $get_name.0.0).await?;
                Ok($crate::http::kit::reply::Reply::new(row.into()))
            })?

            $($(#[doc = $update_about])*
            #[oai(path = $update_path, method = "patch", operation_id = $update_id)]
            async fn update(
                &self,
                auth: $crate::http::kit::auth::Auth<$crate::http::kit::auth::$write, $crate::http::kit::auth::Content>,
                $update_name: poem_openapi::param::Path<$crate::http::kit::scalar::Id>,
                body: $crate::http::kit::body::Body<$change>,
            ) -> $crate::http::kit::reply::Outcome<$view> {
                let row = auth.services().edit::<$row>(auth.org(), $update_name.0.0, body.value.into()).await?;
                Ok($crate::http::kit::reply::Reply::new(row.into()))
            })?

            $($(#[doc = $delete_about])*
            #[oai(path = $delete_path, method = "delete", operation_id = $delete_id)]
            async fn delete(
                &self,
                auth: $crate::http::kit::auth::Auth<$crate::http::kit::auth::$write, $crate::http::kit::auth::Content>,
                $delete_name: poem_openapi::param::Path<$crate::http::kit::scalar::Id>,
            ) -> Result<$crate::http::kit::reply::NoContent, $crate::http::kit::problem::Problem> {
                auth.services().remove::<$row>(auth.org(), $delete_name.0.0).await?;
                Ok($crate::http::kit::reply::NoContent)
            })?
        }
    };
}
pub(in crate::http) use resource;

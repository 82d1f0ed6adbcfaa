//! The front: HTTP in, one use case called, HTTP out.
//!
//! | file | holds |
//! |---|---|
//! | [`tasks`], [`retry`], [`events`] | orders of work, running them again, what happens in them |
//! | [`articles`], [`generate`], [`versions`], [`claims`] | what came of them |
//! | [`files`], [`credits`] | uploads and covers; the budget |
//! | [`health`], [`metrics`], [`docs`] | for operators and readers; public |
//! | [`auth`], [`rate`] | who may call what, and how often |
//! | [`problem`], [`failure`] | the one shape of every error |
//! | [`body`], [`query`], [`header`], [`scalar`], [`shape`], [`reply`], [`page`] | reading requests, shaping answers |
//! | [`reading`] | the same readers without a server, for those who test them from outside |
//! | [`shell`], [`request`], [`places`], [`routes`] | what happens around every request |
//! | [`connections`] | what a connection may cost |
//!
//! Architecture invariant: a handler reaches the use cases only through [`auth::Auth`] or [`auth::Public`], so an
//! operation that declares no right has nothing to work with and does not compile.

mod articles;
mod auth;
mod body;
mod claims;
mod connections;
mod credits;
mod docs;
mod events;
mod failure;
mod files;
mod generate;
mod header;
mod health;
mod metrics;
mod page;
mod places;
mod problem;
mod query;
mod rate;
pub mod reading;
mod reply;
mod request;
mod retry;
mod routes;
mod scalar;
mod shape;
mod shell;
mod state;
mod tasks;
mod versions;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use poem::{EndpointExt, Response, endpoint::BoxEndpoint};
use poem_openapi::{OpenApiService, Tags};

pub use connections::serve;
pub use rate::RateLimits;
pub use state::{AppState, ExtraMetrics, HttpLimits};

use routes::Routes;

/// Every operation, by area. A tuple holds at most 16, so areas nest.
type Api = (
    (tasks::Tasks, retry::Retries, events::Events),
    (articles::Articles, generate::Generate, versions::Versions, claims::Claims),
    (files::Files, credits::Credits),
    health::Health,
);

fn api() -> Api {
    (
        (tasks::Tasks, retry::Retries, events::Events),
        (articles::Articles, generate::Generate, versions::Versions, claims::Claims),
        (files::Files, credits::Credits),
        health::Health,
    )
}

#[derive(Tags)]
enum Area {
    /// Orders of work. A task runs through research, outline, drafting, SEO, image and sync.
    Tasks,
    /// The articles that tasks bring, with their versions and what each sentence rests on.
    Articles,
    /// Uploads to write from, and cover images.
    Files,
    /// What the organization may spend.
    Credits,
    /// For those who run the service. No key needed.
    Operation,
}

fn service() -> OpenApiService<Routes<Api>, ()> {
    OpenApiService::new(Routes(api()), "Galley", env!("CARGO_PKG_VERSION"))
        .server("/")
        .description(include_str!("introduction.md"))
}

/// The OpenAPI description of every operation as indented JSON with a newline at its end. The same program gives the
/// same text.
pub fn spec() -> String {
    service().spec() + "\n"
}

/// The whole front, for a listener or for a test client in the same process. It never returns an error:
/// whatever goes wrong is a response already.
pub fn app(state: AppState) -> BoxEndpoint<'static, Response> {
    let front = state.into_front();
    let routes = places::Tidied::new(places::Places::of(service())).data(Arc::clone(&front));
    shell::Shell::new(routes, &front.state.limits, Arc::clone(&front.metrics)).boxed()
}

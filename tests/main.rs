//! Integration tests, by area: real Postgres, real HTTP, faults on order.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod cli;
mod commands;
mod daemon;
mod effects;
mod engine;
mod front;
mod house;
mod pipeline;
mod ranking;
mod reading;
mod replay;
mod schedules;
mod secrets;
mod source_images;
mod stopping;
mod storage;
mod store;
mod upgrade;
mod webhooks;

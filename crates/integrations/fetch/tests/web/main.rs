//! Everything over real sockets on 127.0.0.1.

mod common;
mod faults;
mod guard;
mod pages;
mod robots;
mod search;
mod tls;

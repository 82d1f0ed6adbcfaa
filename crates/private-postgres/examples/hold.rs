//! Holds a private cluster until its standard input ends or says `stop`, like a program would. Used by the tests.
//!
//! `hold DATA_DIR` prints `ready ROLE PID URL`.

use std::error::Error;

use galley_private_postgres::{Settings, start};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let data_dir = std::env::args_os().nth(1).ok_or("usage: hold DATA_DIR")?;
    let cluster = start(Settings { durable: false, ..Settings::new(data_dir) }).await?;
    println!("ready {:?} {} {}", cluster.role(), cluster.postmaster_pid(), cluster.url("postgres"));
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
    println!("{:?}", cluster.stop().await?);
    Ok(())
}

//! `beitscope serve`: a built site over HTTP.

use crate::failure::Failure;
use crate::output::say;
use clap::Args;
use server::{Options, Server};
use std::net::IpAddr;
use std::path::PathBuf;

#[derive(Args)]
pub struct Arguments {
    /// The built site, as `cargo xtask build` leaves it
    #[arg(value_name = "DIR")]
    site: PathBuf,
    #[arg(long, default_value = "8080")]
    port: u16,
    /// Address to listen on; 0.0.0.0 lets other machines in
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    host: IpAddr,
    /// Leave out the headers that let the page use threads
    #[arg(long)]
    no_isolation: bool,
    /// Let pages of other origins fetch the files
    #[arg(long)]
    cross_origin: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let server = Server::start(Options {
        host: arguments.host,
        port: arguments.port,
        isolation: !arguments.no_isolation,
        cross_origin: arguments.cross_origin,
        ..Options::new(&arguments.site)
    });
    let server = server.map_err(|error| match error {
        server::Error::Root { .. } => Failure::Data(error.to_string()),
        _ => Failure::Usage(error.to_string()),
    })?;
    say(&format!("serving {} at {} until Ctrl-C", arguments.site.display(), server.url()));
    server.join();
    Ok(())
}

//! `cargo xtask serve`: builds all, and serves the playground beside a local echo server.

use anyhow::{Context, Result, bail};

use crate::config::Config;
use crate::server::Server;
use crate::{build, setup, site};

const PORT: u16 = 8080;

pub(crate) fn run(config: &Config, options: &[String]) -> Result<()> {
    let port = match options {
        [] => PORT,
        [name, port] if name == "--port" => port.parse().with_context(|| format!("{port} is no port"))?,
        _ => bail!("serve takes only --port N"),
    };
    setup::for_builds(config)?;
    build::run(config)?;
    site::run(config)?;
    let server = Server::start(config, port, Some(&site::folder(config)))?;
    let port = server.port;
    println!("The playground is at http://127.0.0.1:{port}/");
    println!("The documentation is at http://127.0.0.1:{port}/docs/");
    println!("The echo server is at ws://127.0.0.1:{port}/echo");
    println!("Ctrl+C ends both.");
    server.wait()
}

//! `cargo xtask serve` and `cargo xtask dev`: the playground together with a local echo server.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::build::CHECKER;
use crate::config::Config;
use crate::docs::DOCS;
use crate::package::PACKAGE;
use crate::plan;
use crate::server::Server;
use crate::setup::NPM;
use crate::site::PLAYGROUND;

/// The port of the playground and the echo server. The examples name it.
const PORT: u16 = 8080;

/// The port of Vite's development server.
const DEV_PORT: u16 = 5173;

/// Builds everything and serves it.
pub(crate) fn serve(config: &Config, options: &[String]) -> Result<()> {
    let port = port(options, PORT)?;
    plan::make(config, &[PLAYGROUND, DOCS])?;
    let folder = config.site();
    let server = Server::start(config, port, ["--playground".as_ref(), "--root".as_ref(), folder.as_os_str()])?;
    let port = server.port;
    println!("The playground is at http://127.0.0.1:{port}/");
    println!("The documentation is at http://127.0.0.1:{port}/docs/");
    println!("The echo server is at ws://127.0.0.1:{port}/echo");
    println!("Press Ctrl+C to stop.");
    server.wait()
}

/// Serves the playground's sources with Vite, which shows changes at once.
pub(crate) fn dev(config: &Config, options: &[String]) -> Result<()> {
    let port = port(options, DEV_PORT)?;
    plan::make(config, &[PACKAGE, CHECKER.name, NPM])?;
    let server = Server::start(config, PORT, ["--playground"])?;
    println!("The playground is at http://127.0.0.1:{port}/ and follows changes in www/.");
    println!("After a change in js/ or src/, run `cargo xtask build package`.");
    println!("The echo server is at ws://127.0.0.1:{}/echo", server.port);
    println!("Press Ctrl+C to stop.");
    let mut vite = Command::new(config.npm_program("vite"));
    vite.args(["--config", "www/vite.config.ts", "--host", "127.0.0.1", "--strictPort", "--port"]);
    vite.arg(port.to_string()).current_dir(&config.root).env("ECHO_SERVER", format!("127.0.0.1:{}", server.port));
    let status = vite.status().context("cannot run vite")?;
    ensure!(status.success(), "vite ended with {status}; is port {port} taken? Choose another one with --port");
    Ok(())
}

fn port(options: &[String], usual: u16) -> Result<u16> {
    match options {
        [] => Ok(usual),
        [name, port] if name == "--port" => port.parse().with_context(|| format!("{port} is not a port")),
        _ => bail!("the only option is --port N"),
    }
}

//! Runs the test server, optionally with a browser, as a child that ends with this program.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;

use crate::config::{Config, Engine};
use crate::setup;

/// A running server. It ends when this is dropped, and also when this program dies, because that closes its standard
/// input.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// The port on loopback.
    pub port: u16,
    /// The line that it printed. It tells tests where to find everything.
    pub line: String,
}

/// The part of the line that this program needs.
#[derive(Deserialize)]
struct Listening {
    port: u16,
}

impl Server {
    /// Starts the server, on `port` if that is free.
    pub(crate) fn start<I: Into<OsString>>(
        config: &Config,
        port: u16,
        options: impl IntoIterator<Item = I>,
    ) -> Result<Self> {
        Self::start_with(Command::new("node"), config, port, options)
    }

    /// Starts the server together with a browser.
    fn with_browser(config: &Config, engine: &Engine) -> Result<Self> {
        let browser = setup::find_browser(config, engine)?;
        let (program, args) = engine.within("node".into());
        let mut node = Command::new(program);
        node.args(args);
        let mut options: Vec<OsString> = vec!["--engine".into(), (&engine.name).into()];
        options.extend(["--browser".into(), browser.executable.into()]);
        if let Some(driver) = browser.driver {
            options.extend(["--driver".into(), driver.into()]);
        }
        Self::start_with(node, config, 0, options)
    }

    fn start_with<I: Into<OsString>>(
        mut node: Command,
        config: &Config,
        port: u16,
        options: impl IntoIterator<Item = I>,
    ) -> Result<Self> {
        node.arg(config.root.join("tests/server/main.mjs")).arg("--port").arg(port.to_string());
        node.args(options.into_iter().map(Into::into)).current_dir(&config.root);
        let mut child =
            node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot run node for the test server")?;
        let output = child.stdout.take().context("the child has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let Listening { port } = serde_json::from_str(&line).context("the test server did not start; see above")?;
        Ok(Self { child, port, line: line.trim().to_owned() })
    }

    /// Waits until the server ends, which only happens together with this program.
    pub(crate) fn wait(mut self) -> Result<()> {
        // Taken out, because waiting would close it and thereby end the server.
        let input = self.child.stdin.take();
        self.child.wait()?;
        drop(input);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closing its input ends the server and its browser.
        drop(self.child.stdin.take());
        for _ in 0..PATIENCE_SECONDS * 10 {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        // A hanging server must not outlive the tests.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The time a server gets to end its browser.
const PATIENCE_SECONDS: u32 = 10;

/// A server with a browser for each engine, shared by all test files. Each starts when it is first needed.
pub(crate) struct Hosts<'a> {
    config: &'a Config,
    servers: Vec<(&'a Engine, OnceLock<Result<Server, String>>)>,
}

impl<'a> Hosts<'a> {
    pub(crate) fn new(config: &'a Config) -> Self {
        Self { config, servers: config.engines().iter().map(|engine| (engine, OnceLock::new())).collect() }
    }

    /// Returns the line that tells tests where the server and the browser of an engine are.
    pub(crate) fn line(&self, engine: &Engine) -> Result<&str> {
        let found = self.servers.iter().find(|(own, _)| own.name == engine.name);
        let (engine, server) = found.with_context(|| format!("wasm-pack.toml names no engine {}", engine.name))?;
        let server =
            server.get_or_init(|| Server::with_browser(self.config, engine).map_err(|error| format!("{error:#}")));
        match server {
            Ok(server) => Ok(&server.line),
            Err(error) => Err(anyhow!("{error}")),
        }
    }
}

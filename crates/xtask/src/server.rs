//! The server of the tests, as a child that ends with this program.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::config::Config;

/// A running server. It ends when this is dropped, and also when this program dies: its standard input ends then.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Where it listens, on loopback.
    pub port: u16,
}

/// What the server says when it listens.
#[derive(Deserialize)]
struct Listening {
    port: u16,
}

impl Server {
    /// Starts it, on `port` if that is free. `site` is the folder of the playground, if it serves that.
    pub(crate) fn start(config: &Config, port: u16, site: Option<&Path>) -> Result<Self> {
        let mut node = Command::new("node");
        node.arg(config.root.join("tests/server/main.mjs")).arg("--port").arg(port.to_string());
        if let Some(site) = site {
            node.arg("--playground").arg("--root").arg(site);
        }
        let mut child =
            node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot run node for the test server")?;
        let output = child.stdout.take().context("a child without output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let Listening { port } = serde_json::from_str(&line).context("the test server did not start; see above")?;
        Ok(Self { child, port })
    }

    /// Waits until the server ends, which it only does with this program.
    pub(crate) fn wait(mut self) -> Result<()> {
        // Taken, so that waiting does not end its input and with it the server.
        let input = self.child.stdin.take();
        self.child.wait()?;
        drop(input);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input ends it; should it hang, it must not outlive the tests.
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

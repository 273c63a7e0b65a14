//! Collector, console and sensors on one machine, each with its configuration and data below one folder.
//!
//! The processes are started one by one, so that a test may end and start any of them; ports are free ones unless they
//! are given. Everything a program writes is in `DATA/log/NAME.log`.

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::http::{self, Address};
use crate::program::{Program, Programs, succeeded};
use crate::wait;

/// How long a program may take until it answers.
const READY: Duration = Duration::from_secs(60);

/// Where the parts listen, and what is set differently from the defaults.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder.
    pub data: PathBuf,
    /// The rule folder.
    pub rules: PathBuf,
    /// The agencies' file.
    pub agencies: PathBuf,
    /// The console's port.
    pub console_port: u16,
    /// The intake's port.
    pub intake_port: u16,
    /// The network namespace in which collector and sensors run, where it is not ours; the collector's API is a Unix
    /// socket and can be reached from everywhere.
    pub namespace: Option<String>,
    /// Further lines of the collector's section `[api]`.
    pub collector_api_lines: String,
    /// Further lines of the collector's configuration.
    pub collector_lines: String,
    /// Further lines of the console's configuration.
    pub console_lines: String,
    /// Signatures that sensors run.
    pub signatures: Vec<PathBuf>,
    /// Further lines of a sensor's configuration.
    pub sensor_lines: String,
}

impl Settings {
    /// Free ports, our own rules and signatures, the demo's agencies.
    pub fn new(data: &Path, checkout: &Path) -> Result<Self> {
        Ok(Settings {
            data: data.to_owned(),
            rules: checkout.join("rules"),
            agencies: checkout.join("deploy/demo/agencies.toml"),
            console_port: free_port()?,
            intake_port: free_port()?,
            namespace: None,
            collector_api_lines: String::new(),
            collector_lines: String::new(),
            console_lines: String::new(),
            signatures: vec![checkout.join("rules/signatures")],
            sensor_lines: String::new(),
        })
    }
}

/// A port that is free now.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
    Ok(listener.local_addr()?.port())
}

/// `wished` where it is free, else another one.
pub fn port_like(wished: u16) -> Result<u16> {
    if TcpListener::bind((Ipv4Addr::UNSPECIFIED, wished)).is_ok() { Ok(wished) } else { free_port() }
}

/// Where a sensor's packets come from.
#[derive(Debug, Clone)]
pub enum PacketSource {
    /// A capture, played as if it happened now.
    File {
        /// The capture.
        path: PathBuf,
        /// `max` or `realtime`.
        speed: String,
    },
    /// A live interface.
    Interface(String),
}

/// The running parts.
#[derive(Debug)]
pub struct Stack {
    /// What was asked for.
    pub settings: Settings,
    /// The built programs.
    pub programs: Programs,
    /// The sensor, where one was started.
    pub sensor: Option<Program>,
    /// The console, where it was started.
    pub console: Option<Program>,
    /// The collector, where it was started.
    pub collector: Option<Program>,
}

impl Stack {
    /// Lays out the data folder; starts nothing.
    pub fn new(programs: Programs, settings: Settings) -> Result<Self> {
        for folder in ["log", "etc"] {
            let folder = settings.data.join(folder);
            std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        }
        Ok(Stack { settings, programs, sensor: None, console: None, collector: None })
    }

    /// A part's data folder.
    pub fn data(&self, part: &str) -> PathBuf {
        self.settings.data.join(part)
    }

    /// The collector's API.
    pub fn collector_api(&self) -> Address {
        Address::Unix(self.data("collector").join("api.sock"))
    }

    /// The console's API.
    pub fn console_api(&self) -> Address {
        Address::Tls(SocketAddr::from((Ipv4Addr::LOCALHOST, self.settings.console_port)))
    }

    /// Starts the collector and waits until it answers.
    pub fn start_collector(&mut self) -> Result<()> {
        let lines = format!(
            "agencies = {}\nrules = [{}]\n\n[api]\nmetrics = \"127.0.0.1:0\"\n{}\n[intake]\nlisten = \"127.0.0.1:{}\"\n\n{}",
            quoted(&self.settings.agencies),
            quoted(&self.settings.rules),
            self.settings.collector_api_lines,
            self.settings.intake_port,
            self.settings.collector_lines,
        );
        let api = self.collector_api();
        let program = self.start("collector", &lines, true)?;
        let program = self.collector.insert(program);
        wait::until("the collector to answer", READY, || {
            program.still_runs()?;
            Ok(http::send(&api, "GET", "/v1/health", &[], None).ok().map(drop))
        })
    }

    /// Starts the console and waits until it answers.
    pub fn start_console(&mut self) -> Result<()> {
        let lines = format!(
            "[listen]\naddress = \"127.0.0.1:{0}\"\npublic_url = \"https://localhost:{0}\"\n\n[metrics]\naddress = \"127.0.0.1:0\"\n\n\
             [collector]\nsocket = {1}\n\n{2}",
            self.settings.console_port,
            quoted(&self.data("collector").join("api.sock")),
            self.settings.console_lines,
        );
        let api = self.console_api();
        let program = self.start("console", &lines, false)?;
        let program = self.console.insert(program);
        wait::until("the console to answer", READY, || {
            program.still_runs()?;
            Ok(http::send(&api, "GET", "/api/v1/health", &[], None).ok().map(drop))
        })
    }

    /// Asks the collector for a token and enrols a sensor with it.
    pub fn enroll(&self, name: &str) -> Result<()> {
        let token = self.collector_post("/v1/tokens", &json!({"name": name}))?;
        let token = token["token"].as_str().context("the collector gave no token")?;
        let data = self.data(name).display().to_string();
        let collector = format!("127.0.0.1:{}", self.settings.intake_port);
        let arguments = ["enroll", "--collector", &collector, "--token", token, "--data", &data];
        let mut command = self.programs.command("luytre-sensor", self.settings.namespace.as_deref());
        let output = command.args(arguments).output().context("start luytre-sensor")?;
        succeeded(&output).with_context(|| format!("enrol the sensor {name}"))
    }

    /// Starts a sensor that was enrolled.
    pub fn start_sensor(&mut self, name: &str, source: &PacketSource) -> Result<()> {
        let signatures: Vec<String> = self.settings.signatures.iter().map(|path| quoted(path)).collect();
        let mut lines = format!("rules = [{}]\n\n", signatures.join(", "));
        match source {
            PacketSource::File { path, speed } => {
                write!(lines, "[[source]]\nfile = {}\nspeed = \"{speed}\"\nshift_to_now = true\n\n", quoted(path))?
            }
            PacketSource::Interface(name) => write!(lines, "[[source]]\ninterface = \"{name}\"\nqueues = 2\n\n")?,
        }
        lines.push_str("[metrics]\nenabled = false\n\n[uplink]\nledger_s = 2\n\n");
        lines.push_str(&self.settings.sensor_lines);
        let command_name = format!("sensor:{name}");
        self.sensor = Some(self.start(&command_name, &lines, true)?);
        Ok(())
    }

    fn start(&self, part: &str, lines: &str, inside: bool) -> Result<Program> {
        let (program, name) = part.split_once(':').unwrap_or((part, part));
        let config = self.settings.data.join("etc").join(format!("{name}.toml"));
        std::fs::write(&config, lines).with_context(|| format!("write {}", config.display()))?;
        let namespace = self.settings.namespace.as_deref().filter(|_| inside);
        let mut command = self.programs.command(&format!("luytre-{program}"), namespace);
        command.arg("run").arg("--config").arg(config).arg("--data").arg(self.data(name));
        Program::start(name, &mut command, &self.settings.data.join("log").join(format!("{name}.log")))
    }

    /// Reads from the collector's API.
    pub fn collector_get(&self, path: &str) -> Result<Value> {
        http::send(&self.collector_api(), "GET", path, &[], None)?.good().with_context(|| format!("GET {path}"))
    }

    /// Sends to the collector's API.
    pub fn collector_post(&self, path: &str, body: &Value) -> Result<Value> {
        http::send(&self.collector_api(), "POST", path, &[], Some(body))?.good().with_context(|| format!("POST {path}"))
    }

    /// Searches the collector.
    pub fn search(&self, query: &str) -> Result<Value> {
        self.collector_post("/v1/search", &json!({"query": query, "limit": 100}))
    }

    /// How many events a query finds.
    pub fn count(&self, query: &str) -> Result<u64> {
        self.search(query)?["total"].as_u64().context("a search answer without a total")
    }

    /// The counters of a sensor as the collector knows them.
    pub fn sensor_line(&self, name: &str) -> Result<Value> {
        let sensors = self.collector_get("/v1/sensors")?;
        let found = sensors.as_array().and_then(|all| all.iter().find(|sensor| sensor["name"] == name)).cloned();
        found.with_context(|| format!("the collector does not know the sensor {name}"))
    }

    /// The one-time link of the first administrator, as `luytre-console setup-link` prints it.
    pub fn setup_link(&self) -> Result<String> {
        let config = self.settings.data.join("etc/console.toml").display().to_string();
        let data = self.data("console").display().to_string();
        let output = self.programs.output("luytre-console", &["setup-link", "--config", &config, "--data", &data])?;
        succeeded(&output).context("ask the console for the one-time link")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let link = text.split_whitespace().find(|word| word.contains("/setup#token="));
        link.map(str::to_owned).with_context(|| format!("no one-time link in: {text}"))
    }

    /// The token in the one-time link.
    pub fn setup_token(&self) -> Result<String> {
        let link = self.setup_link()?;
        link.split_once("#token=").map(|(_, token)| token.to_owned()).context("a one-time link without a token")
    }

    /// Ends everything politely, in the order in which the data flows.
    pub fn stop(&mut self) -> Result<()> {
        for program in [&mut self.sensor, &mut self.collector, &mut self.console] {
            if let Some(mut program) = program.take() {
                program.terminate()?;
            }
        }
        Ok(())
    }
}

/// A path as a TOML text.
fn quoted(path: &Path) -> String {
    toml::Value::String(path.display().to_string()).to_string()
}

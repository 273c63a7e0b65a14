//! `luytre-demo`: starts the three programs, plays the story of a province through a sensor, and leaves a console full of
//! explained alerts. Started by `cargo xtask demo`, which builds everything first.
//!
//! Ctrl-C or SIGTERM ends the processes it started and removes what it made; `--keep DIR` keeps the data.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use luytre_demo::check::{self, Expected};
use luytre_demo::live::{self, Cable};
use luytre_demo::program::Programs;
use luytre_demo::progress::{Line, Progress};
use luytre_demo::session::Session;
use luytre_demo::stack::{self, PacketSource, Settings, Stack};
use luytre_demo::{capture, wait};

/// The sensor's name in the demo.
const SENSOR: &str = "sensor-demo";
/// How many times faster than it happened the story is played.
const SPEED: f64 = 3.0;
/// How long the story and what follows from it may take.
const STORY: Duration = Duration::from_secs(120);
/// How often is looked how far it is.
const LOOK: Duration = Duration::from_millis(250);
/// When nothing has changed for this long, all that followed from the story has happened.
const REST: Duration = Duration::from_secs(5);

/// Plays the demo with the programs that stand beside this one.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Plays on a live interface between network namespaces of its own (root).
    #[arg(long)]
    live: bool,
    /// Verifies through the API, prints a summary and exits.
    #[arg(long)]
    check: bool,
    /// Keeps all data in this folder.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// When the story has been played, runs this program instead of showing the console, with the console's address in
    /// `LUYTRE_CONSOLE` and the one-time token in `LUYTRE_TOKEN`, and ends with it.
    #[arg(long, value_name = "PROGRAM ARGUMENTS", num_args = 1.., allow_hyphen_values = true)]
    then: Vec<String>,
    /// Only plays a capture onto an interface (used by `--live` inside its namespace).
    #[arg(long, hide = true, value_name = "INTERFACE")]
    play: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.play {
        Some(interface) => live::play(&story(), interface, SPEED).map(|_| true),
        None => demo(&arguments),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("luytre-demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn checkout() -> PathBuf {
    // This crate stands in deploy/demo.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

fn story() -> PathBuf {
    checkout().join("deploy/demo/story.pcapng")
}

fn demo(arguments: &Arguments) -> Result<bool> {
    let stop = on_stop()?;
    let temporary;
    let data = match &arguments.keep {
        Some(folder) => folder.as_path(),
        None => {
            temporary = tempfile::Builder::new().prefix("luytre-demo-").tempdir().context("make a data folder")?;
            temporary.path()
        }
    };
    let cable = if arguments.live { Some(Cable::lay("demo")?) } else { None };
    let mut stack = start(data, cable.as_ref())?;
    let token = stack.setup_token()?;
    let began = Instant::now();
    play(&mut stack, cable.as_ref(), &stop)?;
    eprintln!("the story was played in {:.0} s", began.elapsed().as_secs_f64());
    say_memory(&stack)?;
    let verdict = match arguments.then.split_first() {
        Some((program, rest)) => then(&stack, &token, program, rest)?,
        None if arguments.check => verify(&stack, &token)?,
        None => show(&stack, data, &stop)?,
    };
    stack.stop()?;
    Ok(verdict)
}

fn timed<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let began = Instant::now();
    let outcome = work()?;
    eprintln!("{what} after {:.2} s", began.elapsed().as_secs_f64());
    Ok(outcome)
}

/// Tells when the person wants to stop.
fn on_stop() -> Result<Receiver<()>> {
    let (sender, receiver) = channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("watch for Ctrl-C")?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            let _ = sender.send(());
        });
    });
    Ok(receiver)
}

fn start(data: &Path, cable: Option<&Cable>) -> Result<Stack> {
    let mut settings = Settings::new(data, &checkout())?;
    settings.console_port = stack::port_like(8443)?;
    settings.intake_port = stack::port_like(7443)?;
    settings.namespace = cable.map(|cable| cable.listener.clone());
    let mut stack = Stack::new(Programs::beside_this()?, settings)?;
    timed("the collector is ready", || stack.start_collector())?;
    timed("the console is ready", || stack.start_console())?;
    Ok(stack)
}

/// What the three programs take of the machine's memory now.
fn say_memory(stack: &Stack) -> Result<()> {
    let mut text = String::new();
    let mut sum = 0;
    for (name, program) in [("sensor", &stack.sensor), ("collector", &stack.collector), ("console", &stack.console)] {
        let bytes = program.as_ref().map_or(Ok(0), |program| program.resident_bytes())?;
        text.push_str(&format!("{name} {} MB, ", bytes >> 20));
        sum += bytes;
    }
    eprintln!("resident memory: {text}together {} MB", sum >> 20);
    Ok(())
}

/// Plays the story and waits until all that follows from it has come to rest.
fn play(stack: &mut Stack, cable: Option<&Cable>, stop: &Receiver<()>) -> Result<()> {
    stack.enroll(SENSOR)?;
    let source = match cable {
        None => {
            let path = stack.settings.data.join("story.pcapng");
            capture::hasten(&story(), &path, SPEED)?;
            PacketSource::File { path, speed: "realtime".to_owned() }
        }
        Some(_) => PacketSource::Interface(live::INTERFACE.to_owned()),
    };
    stack.start_sensor(SENSOR, &source)?;
    let player = cable.map(|cable| send(stack, cable)).transpose()?;
    let packets = capture::read(&story())?.len() as u64;
    let mut line = Line::default();
    let mut last = (Progress::default(), Instant::now());
    let deadline = Instant::now() + STORY;
    loop {
        if stop.recv_timeout(LOOK).is_ok() {
            bail!("stopped");
        }
        for program in [&mut stack.sensor, &mut stack.collector, &mut stack.console].into_iter().flatten() {
            program.still_runs()?;
        }
        let now = Progress::now(stack, SENSOR)?;
        line.show(&format!("{} of {packets} packets, {} events, {} waiting", now.packets, now.events, now.waiting));
        if now != last.0 {
            last = (now, Instant::now());
        }
        if now.packets >= packets && now.waiting == 0 && last.1.elapsed() > REST {
            break;
        }
        if Instant::now() > deadline {
            let problems = stack.collector_get("/v1/health")?["problems"].to_string();
            bail!(
                "the story did not come to rest within {} s: {now:?}; the collector says {problems}",
                STORY.as_secs()
            );
        }
    }
    line.end();
    drop(player);
    Ok(())
}

/// Starts the sender of frames at the far end of the cable.
fn send(stack: &Stack, cable: &Cable) -> Result<luytre_demo::program::Program> {
    let sensor = format!("{SENSOR}.log");
    let log = stack.settings.data.join("log").join(sensor);
    wait::until("the sensor to listen", Duration::from_secs(20), || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        Ok(text.contains("the sensor is running").then_some(()))
    })?;
    let mut command = stack.programs.command("luytre-demo", Some(&cable.sender));
    command.args(["--play", live::INTERFACE]);
    let log = stack.settings.data.join("log/player.log");
    luytre_demo::program::Program::start("the player", &mut command, &log)
}

fn verify(stack: &Stack, token: &str) -> Result<bool> {
    let expected = Expected::load(&checkout().join("deploy/demo/expected.toml"))?;
    let session = Session::set_up(&stack.console_api(), token, "kiem-tra", "Mot mat khau dai cho buoi kiem tra 1")?;
    Ok(check::print(&check::verify(&session, &expected)))
}

fn then(stack: &Stack, token: &str, program: &str, arguments: &[String]) -> Result<bool> {
    let status = Command::new(program)
        .args(arguments)
        .env("LUYTRE_CONSOLE", format!("https://localhost:{}", stack.settings.console_port))
        .env("LUYTRE_TOKEN", token)
        .status()
        .with_context(|| format!("start {program}"))?;
    Ok(status.success())
}

fn show(stack: &Stack, data: &Path, stop: &Receiver<()>) -> Result<bool> {
    let port = stack.settings.console_port;
    println!("\nThe console:       https://localhost:{port}");
    println!("First log-in:      {}", stack.setup_link()?);
    println!("Data and logs:     {}", data.display());
    println!("(The certificate is made by the console itself: the browser asks once.)");
    println!("\nCtrl-C ends the demo.");
    stop.recv().context("wait for Ctrl-C")?;
    eprintln!("\nending the programs");
    Ok(true)
}

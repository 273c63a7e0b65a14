//! A stage for live capture: two network namespaces joined by a virtual cable; frames sent at one end arrive at the other.
//!
//! Needs root and `ip`. Dropping a [`Cable`] removes both namespaces and everything in them.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use pnet::datalink::{self, Channel, Config};

use crate::capture;

/// The interface at either end.
pub const INTERFACE: &str = "lt0";

/// Two namespaces and the cable between them.
#[derive(Debug)]
pub struct Cable {
    /// The namespace in which the sensor listens.
    pub listener: String,
    /// The namespace from which frames come.
    pub sender: String,
}

impl Cable {
    /// Lays the cable; `name` keeps several of them apart.
    pub fn lay(name: &str) -> Result<Self> {
        let cable = Cable { listener: format!("lt-{name}-listen"), sender: format!("lt-{name}-send") };
        cable.remove();
        for namespace in [&cable.listener, &cable.sender] {
            ip(&["netns", "add", namespace])?;
        }
        let far = ["type", "veth", "peer", "name", INTERFACE, "netns", &cable.sender];
        ip(&[&["-n", &cable.listener, "link", "add", INTERFACE], far.as_slice()].concat())?;
        for namespace in [&cable.listener, &cable.sender] {
            // A listening interface speaks no IPv6 of its own: only what is played is on the cable.
            let silence = format!("net.ipv6.conf.{INTERFACE}.disable_ipv6=1");
            ip(&["netns", "exec", namespace, "sysctl", "-qw", &silence])?;
            ip(&["-n", namespace, "link", "set", "lo", "up"])?;
            ip(&["-n", namespace, "link", "set", INTERFACE, "mtu", "9000", "up"])?;
        }
        Ok(cable)
    }

    fn remove(&self) {
        for namespace in [&self.listener, &self.sender] {
            let _ = Command::new("ip").args(["netns", "delete", namespace]).stderr(Stdio::null()).status();
        }
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.remove();
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip").args(arguments).output().context("start ip (Debian package iproute2)")?;
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    ensure!(output.status.success(), "ip {}: {message} (network namespaces need root)", arguments.join(" "));
    Ok(())
}

/// Plays a capture onto an interface of this namespace, `speed` times as fast as it was recorded; says how many frames
/// went out.
pub fn play(path: &Path, interface: &str, speed: f64) -> Result<usize> {
    let packets = capture::read(path)?;
    let found = datalink::interfaces().into_iter().find(|one| one.name == interface);
    let found = found.with_context(|| format!("no interface {interface} here"))?;
    let Channel::Ethernet(mut sender, _) = datalink::channel(&found, Config::default())
        .with_context(|| format!("open {interface} for sending (needs root)"))?
    else {
        bail!("{interface} is no Ethernet interface");
    };
    let first_us = packets.first().map_or(0, |packet| packet.time_us);
    let began = Instant::now();
    for packet in &packets {
        let due = Duration::from_secs_f64(packet.time_us.saturating_sub(first_us) as f64 / 1e6 / speed);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        sender.send_to(&packet.bytes, None).context("the interface cannot send")?.context("send a frame")?;
    }
    Ok(packets.len())
}

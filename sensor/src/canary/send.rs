//! `luytre-sensor canary send`: a run of canaries, one UDP packet after the other.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::{Canary, CanaryKey, Run};
use crate::capture::datalink::now_ns;

/// What is sent where.
#[derive(Debug, Clone, Copy)]
pub struct Sending {
    /// To whom; nobody has to be there.
    pub to: SocketAddr,
    /// How many.
    pub count: u32,
    /// Time between two.
    pub interval: Duration,
}

/// A name for a new run.
pub fn new_run() -> anyhow::Result<Run> {
    let mut run = [0; 16];
    getrandom::fill(&mut run).map_err(|error| anyhow::anyhow!("make a name for the run: {error}"))?;
    Ok(run)
}

/// Sends a run. Refusals of the other end are nothing to us: packets were on the wire. Says how many could be sent.
pub fn send(key: &CanaryKey, run: Run, sending: &Sending) -> anyhow::Result<u32> {
    let any: SocketAddr = match sending.to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).context("open a socket to send from")?;
    let interval_us = u32::try_from(sending.interval.as_micros()).unwrap_or(u32::MAX);
    let (began, mut sent, mut last) = (Instant::now(), 0, None);
    for number in 0..sending.count {
        std::thread::sleep((sending.interval * number).saturating_sub(began.elapsed()));
        let canary = Canary { run, number, count: sending.count, sent_ns: now_ns(), interval_us };
        match socket.send_to(&canary.sign(key), sending.to) {
            Ok(_) => sent += 1,
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) if sent == 0 => Err(error).with_context(|| format!("send to {}", sending.to)),
        _ => Ok(sent),
    }
}

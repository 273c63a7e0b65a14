//! The live interface: two network namespaces, a virtual cable, the sensor listening on the ring at one end while the
//! story is played at the other. Needs root; elsewhere it fails and says so, rather than being left out silently.

use std::time::Duration;

use anyhow::{Context, Result};
use luytre_demo::live::{Cable, INTERFACE};
use luytre_demo::program::Program;
use luytre_demo::progress;
use luytre_demo::stack::PacketSource;
use luytre_demo::wait;
use luytre_tests::{SENSOR, Stage, story_packets};

#[test]
fn what_is_sent_on_a_cable_is_captured_without_loss_and_searchable() -> Result<()> {
    let cable = Cable::lay("test").context("the live test needs root and iproute2")?;
    let mut stage = Stage::set(|settings| settings.namespace = Some(cable.listener.clone()))?;
    stage.stack.start_collector()?;
    stage.stack.enroll(SENSOR)?;
    let source = PacketSource::Interface(INTERFACE.to_owned());
    stage.stack.start_sensor(SENSOR, &source)?;
    wait::until("the sensor to listen", Duration::from_secs(20), || {
        let sensor = stage.stack.sensor.as_mut().context("a sensor was started")?;
        sensor.still_runs()?;
        Ok(sensor.log().contains("the sensor is running").then_some(()))
    })?;
    capture_threads_are_locked_in(stage.stack.sensor.as_ref().context("a sensor was started")?.id())?;

    let mut command = stage.stack.programs.command("luytre-demo", Some(&cable.sender));
    command.args(["--play", INTERFACE]);
    let mut player = Program::start("the player", &mut command, &stage.folder().join("log/player.log"))?;
    let status = wait::until("the player to end", Duration::from_secs(120), || player.ended())?;
    assert!(status.success(), "{}", player.log());

    let packets = story_packets()?;
    stage.rest_after(packets)?;
    let line = stage.stack.sensor_line(SENSOR)?;
    assert_eq!(progress::stage(&line, "capture", "taken"), packets, "every packet on the cable was taken: {line}");
    assert!(stage.stack.count("dns.question.name:*.t.updates-cdn.example")? >= 150, "the tunnel's queries are found");
    assert!(stage.stack.count("event.dataset:tls AND destination.port:8443")? >= 10, "the calls home are found");
    Ok(())
}

/// Threads that parse packets run under a system call filter, and no other thread has to.
fn capture_threads_are_locked_in(process: u32) -> Result<()> {
    let mut seen = 0;
    for entry in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let thread = entry?.path();
        let name = std::fs::read_to_string(thread.join("comm"))?;
        if name.starts_with("capture-") {
            let status = std::fs::read_to_string(thread.join("status"))?;
            assert!(status.contains("Seccomp:\t2"), "{name}: {status}");
            assert!(status.contains("NoNewPrivs:\t1"), "{name}: {status}");
            seen += 1;
        }
    }
    assert!(seen > 0, "no capture thread is there");
    Ok(())
}

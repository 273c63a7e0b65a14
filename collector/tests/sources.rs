//! Lines of other programs by UDP, TCP and TLS: searchable like sensors' events, counted, there after a kill; silence alerts.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

struct Rig {
    folder: tempfile::TempDir,
    ports: [u16; 3],
    collector: Option<Child>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(mut collector) = self.collector.take() {
            // It may have ended by itself already.
            let _ = collector.kill();
            let _ = collector.wait();
        }
    }
}

impl Rig {
    fn start(more: &str) -> Rig {
        let port = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut rig = Rig { folder: tempfile::tempdir().unwrap(), ports: [port(), port(), port()], collector: None };
        let mut config = "[intake]\nlisten = \"127.0.0.1:0\"\n[api]\nmetrics = \"127.0.0.1:0\"\n".to_owned();
        for (transport, port) in ["udp", "tcp", "tls"].iter().zip(rig.ports) {
            config.push_str(&format!(
                "[[source]]\nname = \"fw-{transport}\"\ntransport = \"{transport}\"\nlisten = \"127.0.0.1:{port}\"\n{more}\n"
            ));
        }
        std::fs::write(rig.folder.path().join("collector.toml"), config).unwrap();
        rig.begin();
        rig
    }

    fn begin(&mut self) {
        self.collector = Some(self.command().arg("run").stderr(Stdio::null()).spawn().unwrap());
        self.until("it answers", |rig| rig.run(&["sensors"]).status.success());
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_luytre-collector"));
        let folder = self.folder.path();
        command.arg("--config").arg(folder.join("collector.toml")).arg("--data").arg(folder.join("data"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    fn lines(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(arguments);
        String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn count(&self, query: &str) -> usize {
        self.lines(&["search", query, "--json", "--limit", "1000"]).len()
    }

    fn source(&self, name: &str) -> Value {
        let sources = self.lines(&["sources", "--json"]);
        sources.into_iter().find(|source| source["name"] == name).unwrap()
    }

    fn until(&self, what: &str, mut check: impl FnMut(&Rig) -> bool) {
        let began = Instant::now();
        while !check(self) {
            assert!(began.elapsed() < Duration::from_secs(90), "waited too long until {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

const EVE: &str = r#"{"timestamp":"2026-11-22T08:00:00.0+0700","event_type":"dns","src_ip":"192.0.2.1","src_port":5353,"dest_ip":"192.0.2.53","dest_port":53,"proto":"UDP","dns":{"type":"query","rrname":"mot-cua.example","rrtype":"A"}}"#;

#[test]
fn lines_of_other_programs_are_events_and_outlive_a_kill() {
    let mut rig = Rig::start("");
    let [udp, tcp, tls] = rig.ports;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to("<34>1 - fw.example sshd 811 - - Failed password từ chối".as_bytes(), ("127.0.0.1", udp)).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", tcp)).unwrap();
    let counted = "<13>one\ntwo";
    let long = "x".repeat(200_000);
    write!(stream, "<38>first line\n{} {counted}{EVE}\n{long}\n<38>last line\n", counted.len()).unwrap();
    drop(stream);
    let authority = rig.folder.path().join("data/fleet/authority/certificate.pem");
    let mut client = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{tls}"), "-verify_return_error", "-CAfile"])
        .arg(authority)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    client.stdin.as_mut().unwrap().write_all(b"<14>1 - core app - - - under TLS\n").unwrap();

    rig.until("all lines are searchable", |rig| rig.count("observer.name:source*") == 6);
    assert_eq!(rig.count("log.syslog.appname:sshd AND \"tu choi\" AND log.syslog.severity.name:critical"), 1);
    assert_eq!(
        rig.count("dns.question.name:mot-cua.example AND observer.name:\"source:fw-tcp\""),
        1,
        "EVE in our names"
    );
    assert_eq!(rig.count("\"one two\""), 1, "a counted message may have lines");
    assert_eq!(rig.count("log.syslog.hostname:core"), 1, "by TLS");
    let source = rig.source("source:fw-tcp");
    assert_eq!((&source["taken"], &source["given"], &source["held"]), (&5.into(), &4.into(), &0.into()), "{source}");
    assert_eq!(source["dropped"]["too_long"], 1, "{source}");

    client.kill().unwrap();
    client.wait().unwrap();
    let mut collector = rig.collector.take().unwrap();
    collector.kill().unwrap();
    collector.wait().unwrap();
    rig.begin();
    socket.send_to(b"<34>1 - fw.example sshd 811 - - again", ("127.0.0.1", udp)).unwrap();
    rig.until("the new line is there too", |rig| rig.count("observer.name:source*") == 7);
    let ids = rig.lines(&["search", "* | count by event.id", "--json"]);
    assert!(ids.iter().all(|row| row["count"] == 1) && ids.len() == 7, "{ids:?}");
}

#[test]
fn a_source_that_falls_silent_is_a_problem_and_one_alert_until_it_speaks_again() {
    let rig = Rig::start("silent_after_s = 3");
    let status = |rig: &Rig| rig.lines(&["status", "--json"]).remove(0);
    rig.until("the silence is told", |rig| status(rig)["problems"].to_string().matches("is silent").count() == 3);
    let alerts = luytre_collector::fanout::Fanout::open(
        &rig.folder.path().join("data/fanout"),
        Default::default(),
        &Default::default(),
    );
    let alerts = alerts.unwrap().after(0, 100).unwrap();
    let told: Vec<String> = alerts.iter().map(|(_, line)| String::from_utf8_lossy(line).into_owned()).collect();
    assert_eq!(told.iter().filter(|alert| alert.contains("source:fw-udp")).count(), 1, "{told:?}");
    assert!(told.iter().all(|alert| alert.contains("Nguồn nhật ký im lặng")));
    assert_eq!(rig.source("source:fw-udp")["silent"], true);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    rig.until("it is well again", |rig| {
        socket.send_to(b"<13>here", ("127.0.0.1", rig.ports[0])).unwrap();
        !status(rig)["problems"].to_string().contains("fw-udp")
    });
}

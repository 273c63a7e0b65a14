//! JSON by HTTPS, sent by `curl` as log shippers send it: nobody without a token, an answer for each event, durable before it
//! is answered, refusals counted, and in the ledger.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

struct Rig {
    folder: tempfile::TempDir,
    https: u16,
    tcp: u16,
    collector: Option<Child>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Rig {
    fn start(more: &str) -> Rig {
        let port = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut rig = Rig { folder: tempfile::tempdir().unwrap(), https: port(), tcp: port(), collector: None };
        let (https, tcp) = (rig.https, rig.tcp);
        let config = format!(
            "[intake]\nlisten = \"127.0.0.1:0\"\n[api]\nmetrics = \"127.0.0.1:0\"\n[fleet]\nnames = [\"localhost\"]\n\
             [[source]]\nname = \"win\"\ntransport = \"https\"\nlisten = \"127.0.0.1:{https}\"\n{more}\n\
             [[source]]\nname = \"fw\"\ntransport = \"tcp\"\nlisten = \"127.0.0.1:{tcp}\"\n{more}\n"
        );
        std::fs::write(rig.folder.path().join("collector.toml"), config).unwrap();
        rig.begin();
        rig
    }

    fn begin(&mut self) {
        self.collector = Some(self.command().arg("run").stderr(Stdio::null()).spawn().unwrap());
        self.until("it answers", |rig| rig.run(&["sensors"]).status.success());
    }

    fn kill(&mut self) {
        if let Some(mut collector) = self.collector.take() {
            // It may have ended by itself already.
            let _ = collector.kill();
            let _ = collector.wait();
        }
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
        self.lines(&["sources", "--json"]).into_iter().find(|source| source["name"] == name).unwrap()
    }

    fn token(&self) -> String {
        let made = self.run(&["sources", "token", "win"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }

    /// Sends a request; answers its status and body.
    fn curl(&self, path: &str, token: &str, arguments: &[&str], body: Option<&[u8]>) -> (u16, Value) {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--noproxy", "*", "--write-out", "\n%{http_code}", "--cacert"]);
        command.arg(self.folder.path().join("data/fleet/authority/certificate.pem")).args(arguments);
        if !token.is_empty() {
            command.args(["--header", &format!("Authorization: {token}")]);
        }
        if body.is_some() {
            command.args(["--data-binary", "@-", "--header", "Content-Type: application/x-ndjson"]);
        }
        command.arg(format!("https://localhost:{}{path}", self.https));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(body.unwrap_or_default()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (answer, status) = text.rsplit_once('\n').unwrap();
        assert_ne!(status, "000", "{}", String::from_utf8_lossy(&output.stderr));
        (status.parse().unwrap(), serde_json::from_str(answer).unwrap_or(Value::Null))
    }

    fn until(&self, what: &str, mut check: impl FnMut(&Rig) -> bool) {
        let began = Instant::now();
        while !check(self) {
            assert!(began.elapsed() < Duration::from_secs(90), "waited too long until {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn winlogbeat(user: &str) -> String {
    let event = json!({
        "@timestamp": "2026-11-22T01:00:00Z", "message": "An account failed to log on.",
        "agent": { "type": "winlogbeat" }, "event": { "code": "4625", "dataset": "system.security" },
        "winlog": { "event_id": "4625", "channel": "Security", "computer_name": "may-01.example",
            "event_data": { "TargetUserName": user, "IpAddress": "198.51.100.7", "IpPort": "0" } },
    });
    format!("{{\"create\":{{\"_index\":\"winlogbeat-8.19.0\"}}}}\n{event}\n")
}

#[test]
fn what_is_answered_as_taken_outlives_a_kill_and_each_event_has_its_answer() {
    let mut rig = Rig::start("");
    let bearer = format!("Bearer {}", rig.token());
    assert_eq!(rig.curl("/", &bearer, &[], None).1["version"]["number"], "8.19.0");
    assert_eq!(rig.curl("/_license", &bearer, &[], None).1["license"]["status"], "active");
    let body = format!("{}{{\"index\":{{}}}}\n[1]\n{}", winlogbeat("quan-tri"), winlogbeat("ke-toan"));
    let (status, answer) = rig.curl("/winlogbeat/_bulk", &bearer, &[], Some(body.as_bytes()));
    assert_eq!((status, &answer["errors"]), (200, &json!(true)), "{answer}");
    let statuses: Vec<_> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item.as_object().unwrap().values().next().unwrap()["status"].clone())
        .collect();
    assert_eq!(statuses, [201, 400, 201]);
    // At once: what was answered must be there.
    rig.kill();
    rig.begin();
    rig.until("the events are searchable", |rig| rig.count("event.dataset:windows AND source.ip:198.51.100.7") == 2);
    assert_eq!(rig.count("event.code:4625 AND user.name:quan-tri AND host.name:may-01.example"), 1);
    // The token is kept, too.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all("{\"message\":\"từ chối\",\"host\":\"web\"}\n<34>1 - fw sshd 1 - - dòng\n".as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let (status, answer) = rig.curl("/", &bearer, &["--header", "Content-Encoding: gzip"], Some(&packed));
    assert_eq!((status, &answer["taken"]), (200, &json!(2)), "{answer}");
    rig.until("lines are searchable", |rig| rig.count("host.name:web OR log.syslog.hostname:fw") == 2);
    let source = rig.source("source:win");
    assert_eq!((&source["taken"], &source["given"], &source["held"]), (&json!(2), &json!(2), &json!(0)), "{source}");
    let ids = rig.lines(&["search", "* | count by event.id", "--json"]);
    assert!(ids.len() == 4 && ids.iter().all(|row| row["count"] == 1), "{ids:?}");
}

#[test]
fn strangers_and_what_is_too_much_are_refused_and_counted() {
    let rig = Rig::start("connections_per_address = 3\nlines_per_s = 100");
    let first = rig.token();
    let event = winlogbeat("quan-tri");
    let send = |token: &str| rig.curl("/_bulk", token, &[], Some(event.as_bytes())).0;
    assert_eq!(send(""), 401);
    assert_eq!(send("Bearer lts_made-up"), 401);
    assert_eq!(send(&format!("Bearer {first}")), 200);
    let second = rig.token();
    assert_eq!(send(&format!("Bearer {first}")), 200, "the one before works for a while");
    assert_eq!(rig.curl("/_bulk", "", &["--user", &format!("beats:{second}")], Some(event.as_bytes())).0, 200);
    let bearer = format!("Bearer {second}");
    let many = event.repeat(150);
    assert_eq!(rig.curl("/_bulk", &bearer, &[], Some(many.as_bytes())).0, 200, "a parcel is taken whole");
    let (status, answer) = rig.curl("/_bulk", &bearer, &[], Some(event.as_bytes()));
    assert_eq!((status, &answer["error"]["type"]), (429, &json!("too_fast")));
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    bomb.write_all(&vec![b'\n'; 40 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    assert_eq!(rig.curl("/", &bearer, &["--header", "Content-Encoding: gzip"], Some(&bomb)).0, 413);
    assert_eq!(rig.curl("/_bulk", &bearer, &[], Some(b"hello")).0, 400);
    assert_eq!(rig.curl("/_search", &bearer, &[], None).0, 404);
    assert!(rig.run(&["sources", "revoke", "win"]).status.success());
    assert_eq!(send(&bearer), 401);
    let refused = rig.source("source:win")["refused"].clone();
    for (reason, count) in
        [("unauthorized", 3), ("too_fast", 1), ("body_too_large", 1), ("no_events", 1), ("not_found", 1)]
    {
        assert_eq!(refused[reason], count, "{reason} in {refused}");
    }
    let unknown = rig.run(&["sources", "token", "fw"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no source fw takes lines by HTTPS"));

    // Of the other source: who only holds the line does not keep others of the same address out for good.
    let held: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(("127.0.0.1", rig.tcp)).unwrap()).collect();
    rig.until("all have a place", |rig| rig.source("source:fw")["connections"] == 3);
    let mut fourth = TcpStream::connect(("127.0.0.1", rig.tcp)).unwrap();
    rig.until("it is refused", |rig| rig.source("source:fw")["refused"]["address_full"] == 1);
    // It may be closed before it is written to.
    let _ = fourth.write_all(b"<13>not heard\n");
    drop(held);
    rig.until("there is room again", |rig| {
        let mut stream = TcpStream::connect(("127.0.0.1", rig.tcp)).unwrap();
        let _ = stream.write_all(b"<13>heard\n");
        drop(stream);
        rig.source("source:fw")["given"].as_u64() > Some(0)
    });
    rig.until("the ledger has it", |rig| {
        let day = rig.lines(&["search", "* | count", "--json"]);
        let ledger = std::fs::read_dir(rig.folder.path().join("data/ledger")).unwrap().flatten();
        let told: String = ledger.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect();
        !day.is_empty() && told.contains("unauthorized") && told.contains("address_full")
    });
}

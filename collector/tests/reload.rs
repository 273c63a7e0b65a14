//! The real collector changes its rules without a restart: by command, by signal, and not at all when nothing loads.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use luytre_collector::client::Client;
use luytre_collector_api::{Health, RulesAnswer};

const RULE: &str = "title: NAME
id: ID
logsource: {product: luytre, category: http}
detection: {selection: {url.original|contains: '../'}, condition: selection}
level: low
";

/// A running collector; killed when the test ends.
struct Collector {
    child: Child,
    data: tempfile::TempDir,
}

impl Drop for Collector {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Collector {
    fn start() -> Collector {
        let data = tempfile::tempdir().unwrap();
        let config = "[intake]\nlisten = \"127.0.0.1:0\"\n[api]\nmetrics = \"127.0.0.1:0\"\n";
        std::fs::write(data.path().join("collector.toml"), config).unwrap();
        std::fs::create_dir_all(data.path().join("rules/sigma")).unwrap();
        write_rule(data.path(), "first", '1');
        let child = command(data.path()).arg("run").stderr(Stdio::null()).spawn().unwrap();
        Collector { child, data }
    }

    fn client(&self) -> Client {
        Client::new(&self.data.path().join("api.sock"))
    }

    fn reload(&self) -> Output {
        command(self.data.path()).args(["rules", "reload"]).output().unwrap()
    }
}

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_luytre-collector"));
    // Nothing but the data directory's own rules, whatever this machine has installed.
    command.arg("--config").arg(data.join("collector.toml")).arg("--data").arg(data);
    command
}

fn write_rule(data: &Path, name: &str, digit: char) {
    let id =
        format!("{0}{0}{0}{0}{0}{0}{0}{0}-{0}{0}{0}{0}-4{0}{0}{0}-8{0}{0}{0}-{1}", digit, digit.to_string().repeat(12));
    let text = RULE.replace("NAME", name).replace("ID", &id);
    std::fs::write(data.join(format!("rules/sigma/{name}.yml")), text).unwrap();
}

fn names(answer: &RulesAnswer) -> Vec<&str> {
    let mut names: Vec<&str> = answer.rules.iter().map(|line| line.rule.name.as_str()).collect();
    names.sort_unstable();
    names
}

async fn wait_until<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let began = Instant::now();
    while !check().await {
        assert!(began.elapsed() < Duration::from_secs(60), "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_change_by_command_and_by_signal_and_stay_when_nothing_loads() {
    let collector = Collector::start();
    let (client, data) = (collector.client(), collector.data.path());
    wait_until("the collector answers", || async { client.get::<Health>("/v1/health").await.is_ok() }).await;
    assert_eq!(names(&client.get("/v1/rules").await.unwrap()), ["first"]);

    write_rule(data, "second", '2');
    std::fs::write(data.join("rules/sigma/broken.yml"), "title: No detection\nlogsource: {category: dns}\n").unwrap();
    let output = collector.reload();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains("second") && said.contains("broken: sigma/broken.yml"), "{said}");
    let answer: RulesAnswer = client.get("/v1/rules").await.unwrap();
    assert_eq!((names(&answer), answer.broken.len()), (vec!["first", "second"], 1));

    write_rule(data, "third", '3');
    let hangup = Command::new("sh").args(["-c", "kill -HUP $0", &collector.child.id().to_string()]).status().unwrap();
    assert!(hangup.success());
    wait_until("the third rule is in force", || async {
        client.get::<RulesAnswer>("/v1/rules").await.is_ok_and(|answer| names(&answer).contains(&"third"))
    })
    .await;

    // Nothing but broken rules: what was in force stays, and everybody is told.
    for name in ["first", "second", "third"] {
        std::fs::remove_file(data.join(format!("rules/sigma/{name}.yml"))).unwrap();
    }
    let output = collector.reload();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("broken.yml") && said.contains("the rules before stay in force"), "{said}");
    let answer: RulesAnswer = client.get("/v1/rules").await.unwrap();
    assert_eq!(names(&answer), ["first", "second", "third"]);
    let health: Health = client.get("/v1/health").await.unwrap();
    assert!(health.problems.iter().any(|problem| problem.starts_with("rules: ")), "{:?}", health.problems);

    // Mended.
    write_rule(data, "fourth", '4');
    assert!(collector.reload().status.success());
    let health: Health = client.get("/v1/health").await.unwrap();
    assert!(health.ok, "{:?}", health.problems);
    assert_eq!(names(&client.get("/v1/rules").await.unwrap()), ["fourth"]);
}

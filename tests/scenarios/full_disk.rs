//! A full disk in every directory that the collector writes: the answer says which it is and what to do, nothing is half
//! there, nothing that was answered is lost, and everything goes on by itself when there is room again. (Journal, index,
//! alerts, windows and carved files stand in [`crate::faults`], because they need the story.)

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, ensure};
use luytre_demo::program::succeeded;
use luytre_demo::stack::free_port;
use luytre_demo::wait;
use luytre_tests::disk::SmallDisk;
use luytre_tests::{SENSOR, SOON, Stage};
use serde_json::{Value, json};

/// A collector with a source by HTTPS.
struct Rig {
    stage: Stage,
    port: u16,
}

impl Rig {
    /// With small disks under these directories of the collector.
    fn start(parts: &[&str]) -> Result<(Rig, Vec<SmallDisk>)> {
        let port = free_port()?;
        let mut stage = Stage::set(|settings| {
            settings.collector_lines = format!(
                "[fleet]\nnames = [\"localhost\"]\n[[source]]\nname = \"win\"\ntransport = \"https\"\n\
                 listen = \"127.0.0.1:{port}\"\n"
            );
        })?;
        let data = stage.stack.data("collector");
        let disks = parts.iter().map(|part| SmallDisk::mount(&data.join(part), "2m")).collect::<Result<Vec<_>>>()?;
        stage.stack.start_collector()?;
        Ok((Rig { stage, port }, disks))
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        let data = self.stage.stack.data("collector").display().to_string();
        self.stage.stack.programs.output("luytre-collector", &[&["--data", &data], arguments].concat())
    }

    fn file(&self, name: &str, content: &str) -> Result<String> {
        let path = self.stage.folder().join(name);
        std::fs::write(&path, content).with_context(|| format!("write {}", path.display()))?;
        Ok(path.display().to_string())
    }

    fn room(&self, part: &str) -> Result<Value> {
        let rooms = self.stage.stack.collector_get("/v1/rooms")?;
        let found = rooms.as_array().and_then(|all| all.iter().find(|room| room["name"] == part)).cloned();
        found.with_context(|| format!("nobody watches the room of {part}: {rooms}"))
    }

    /// Does something that needs room in a directory: while the disk is full, then when it has room.
    fn needs_room(&self, part: &str, disk: &SmallDisk, mut work: impl FnMut(&Rig) -> Result<Output>) -> Result<()> {
        let directory = self.stage.stack.data("collector").join(part);
        let before = files(&directory)?;
        disk.fill()?;
        let output = work(self)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!output.status.success(), "{part}: it says that all is well, without room: {output:?}");
        ensure!(said.contains(&*directory.to_string_lossy()), "{part}: which directory is not said in: {said}");
        ensure!(said.contains("room on") || said.contains("free some space"), "{part}: no advice in: {said}");
        let room = self.room(part)?;
        ensure!(room["full"] == true && room["refused"].as_u64() > Some(0), "{part}: {room}");
        let health = self.stage.stack.collector_get("/v1/health")?;
        let told = health["problems"].to_string();
        ensure!(told.contains(&*directory.to_string_lossy()) && told.contains("is full"), "{part}: {told}");
        disk.empty()?;
        wait::until("there is room again", SOON, || Ok((self.room(part)?["full"] == false).then_some(())))?;
        assert_eq!(files(&directory)?, before, "{part}: what could not be written has left something");
        let health = self.stage.stack.collector_get("/v1/health")?;
        ensure!(health["ok"] == true, "{part}: {health}");
        succeeded(&work(self)?).with_context(|| format!("{part}: with room again"))
    }

    fn curl(&self, token: &str, more: &[&str], body: &str) -> Result<(i32, String)> {
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--noproxy",
            "*",
            "--write-out",
            "\n%{http_code}",
            "--data-binary",
            "@-",
            "--cacert",
        ]);
        command.arg(self.stage.stack.data("collector").join("fleet/authority/certificate.pem"));
        command.args(["--header", &format!("Authorization: Bearer {token}")]).args(more);
        command.arg(format!("https://localhost:{}/", self.port));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("start curl")?;
        child.stdin.take().context("curl's input")?.write_all(body.as_bytes())?;
        let output = child.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok((output.status.code().unwrap_or(-1), text))
    }

    fn token(&self) -> Result<String> {
        let made = self.run(&["sources", "token", "win"])?;
        succeeded(&made)?;
        Ok(String::from_utf8(made.stdout)?.trim().to_owned())
    }

    fn refused(&self, reason: &str) -> Result<u64> {
        let doors = self.stage.stack.collector_get("/v1/doors")?;
        let door = doors.as_array().and_then(|all| all.iter().find(|door| door["name"] == "source:win")).cloned();
        Ok(door.context("the door of the source")?["refused"][reason].as_u64().unwrap_or(0))
    }

    /// Waits until a query finds so many, and everything that came has had its chance.
    fn finds(&self, query: &str, wanted: u64) -> Result<()> {
        wait::until("events to be found", SOON, || Ok((self.stage.stack.count(query)? >= wanted).then_some(())))?;
        wait::until("the index to rest", SOON, || {
            Ok((self.stage.stack.collector_get("/v1/health")?["index_lag_events"] == 0).then_some(()))
        })?;
        assert_eq!(self.stage.stack.count(query)?, wanted, "{query}");
        Ok(())
    }
}

/// Every file below a folder, but for what is renewed all the time.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("look into {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != ".new-room") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

const IMPORTED: &str = r#"{"timestamp":"2019-03-05T05:06:07.000001+0000","event_type":"dns","src_ip":"192.0.2.1","src_port":5353,"dest_ip":"203.0.113.53","dest_port":53,"proto":"UDP","dns":{"type":"query","rrname":"mot-cua.example","rrtype":"A"}}
"#;

#[test]
fn every_directory_without_room_is_named_and_nothing_is_left_by_half() -> Result<()> {
    let (rig, disks) = Rig::start(&["evidence", "queries", "sources", "imports", "fleet"])?;
    let [evidence, queries, sources, imports, fleet] = &disks[..] else { anyhow::bail!("five disks") };

    let document = rig.file("bien-ban.txt", &"Biên bản\n".repeat(300))?;
    rig.needs_room("evidence", evidence, |rig| {
        rig.run(&["evidence", "add", &document, "--reason", "case 7", "--by", "truc-ban"])
    })?;
    let listed = rig.stage.stack.collector_get("/v1/evidence")?;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{listed}");
    let log = rig.stage.stack.collector_get("/v1/evidence/log")?;
    ensure!(log["is_whole"] == true && log["lines"].as_array().map(Vec::len) == Some(1), "held once: {log}");
    let id = listed["items"][0]["id"].as_str().context("an id")?.to_owned();
    // A release is there for both, the item and the log, or for neither.
    rig.needs_room("evidence", evidence, |rig| {
        let held = rig.stage.stack.collector_get("/v1/evidence")?["items"][0]["holds"].clone();
        ensure!(held.as_array().map(Vec::len) == Some(1), "still held: {held}");
        rig.run(&["evidence", "release", &id, "--reason", "case 7 is closed", "--by", "truc-ban"])
    })?;

    let query = ["queries", "save", "*", "--name", "Odd names", "--name-vi", "Tên lạ"];
    rig.needs_room("queries", queries, |rig| rig.run(&query))?;
    rig.needs_room("sources", sources, |rig| rig.run(&["sources", "token", "win"]))?;
    let eve = rig.file("eve.json", IMPORTED)?;
    rig.needs_room("imports", imports, |rig| rig.run(&["import", "--set", "old", &eve]))?;
    assert_eq!(rig.stage.stack.collector_post("/v1/search", &json!({"query": "*", "set": "old"}))?["total"], 1);

    rig.needs_room("fleet", fleet, |rig| rig.run(&["token", "create", "--name", "dc-9"]))?;
    // A token is not used up by a collector that cannot write down for whom.
    let token = rig.stage.stack.collector_post("/v1/tokens", &json!({"name": SENSOR}))?;
    let token = token["token"].as_str().context("a token")?.to_owned();
    let data = rig.stage.stack.data(SENSOR).display().to_string();
    let collector = format!("127.0.0.1:{}", rig.stage.stack.settings.intake_port);
    let enroll = |rig: &Rig| {
        let arguments = ["enroll", "--collector", &collector, "--token", &token, "--data", &data];
        rig.stage.stack.programs.output("luytre-sensor", &arguments)
    };
    rig.needs_room("fleet", fleet, enroll)?;
    assert_eq!(rig.stage.stack.sensor_line(SENSOR)?["name"], SENSOR);
    Ok(())
}

#[test]
fn a_ledger_without_room_goes_on_in_memory_and_is_written_when_there_is_some() -> Result<()> {
    let (mut rig, disks) = Rig::start(&["ledger"])?;
    let disk = disks.first().context("a disk")?;
    let token = rig.token()?;
    disk.fill()?;
    assert_eq!(rig.curl(&token, &[], "{\"message\":\"khi đầy\"}\n")?.0, 0);
    wait::until("the ledger to find no room", SOON, || Ok((rig.room("ledger")?["full"] == true).then_some(())))?;
    let counted = |rig: &Rig| -> Result<u64> {
        let day = "2020-01-01T00:00:00Z";
        let ledger = rig.stage.stack.collector_get(&format!("/v1/ledger?sensor=source:win&from={day}"))?;
        let minutes = ledger.to_string();
        Ok(u64::from(minutes.contains("\"source\"") && minutes.contains("\"given\":1")))
    };
    assert_eq!(counted(&rig)?, 1, "it is counted all the same");
    disk.empty()?;
    wait::until("there is room again", SOON, || Ok((rig.room("ledger")?["full"] == false).then_some(())))?;
    wait::until("the ledger to be written", SOON, || {
        let day = std::fs::read_dir(rig.stage.stack.data("collector").join("ledger"))?.flatten();
        let told: String = day.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect();
        Ok((told.contains("source:win") && told.contains("\"given\":1")).then_some(()))
    })?;
    rig.stage.stack.collector.as_mut().context("the collector runs")?.kill()?;
    rig.stage.stack.start_collector()?;
    assert_eq!(counted(&rig)?, 1, "and after a restart");
    Ok(())
}

#[test]
fn what_is_copied_out_onto_a_full_disk_is_there_whole_or_not_at_all() -> Result<()> {
    let (rig, _) = Rig::start(&[])?;
    let token = rig.token()?;
    let body: String = (0..3000).map(|number| format!("{{\"message\":\"dòng {number}\"}}\n")).collect();
    assert_eq!(rig.curl(&token, &[], &body)?.0, 0);
    rig.finds("*", 3000)?;
    let folder = rig.stage.folder().join("small");
    let disk = SmallDisk::mount(&folder, "64k")?;
    let place = |name: &str| folder.join(name).display().to_string();
    let (backup, export) = (place("backup"), place("out.csv"));
    for (arguments, advice) in [
        (&["backup", &backup][..], &*folder.to_string_lossy()),
        (&["export", "*", "--out", &export], "room on the disk"),
    ] {
        let output = rig.run(arguments)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!output.status.success() && said.contains(advice) && said.contains("room on the disk"), "{said}");
        ensure!(files(&folder)?.is_empty(), "{arguments:?} has left {:?}", files(&folder)?);
    }
    disk.grow("64m")?;
    succeeded(&rig.run(&["backup", &backup])?)?;
    succeeded(&rig.run(&["export", "*", "--out", &export])?)?;
    assert_eq!(std::fs::read_to_string(&export)?.lines().count(), 3001, "each event, and the names of the columns");
    let restored = rig.stage.folder().join("restored");
    let small = SmallDisk::mount(&rig.stage.folder().join("other"), "64k")?;
    let inside = rig.stage.folder().join("other/data").display().to_string();
    let restore = |to: &str| rig.stage.stack.programs.output("luytre-collector", &["--data", to, "restore", &backup]);
    let output = restore(&inside)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(!output.status.success() && said.contains("room on the disk"), "{said}");
    ensure!(!Path::new(&inside).exists(), "half a data directory would be taken for a whole one");
    drop(small);
    succeeded(&restore(&restored.display().to_string())?)
}

#[test]
fn a_request_that_is_sent_again_is_taken_once() -> Result<()> {
    let (rig, disks) = Rig::start(&["journal"])?;
    let disk = disks.first().context("a disk")?;
    let token = rig.token()?;
    let once = "{\"message\":\"một lần\",\"host\":\"mot-lan\"}\n".repeat(2);
    let once = once.as_str();
    // The collector cannot keep it, and the sender's patience is over before the collector's.
    disk.fill()?;
    let (code, _) = rig.curl(&token, &["--max-time", "3"], once)?;
    assert_eq!(code, 28, "curl gave up");
    // A second sender of the same waits for the first, and gives up too.
    assert_eq!(rig.curl(&token, &["--max-time", "3"], once)?.0, 28);
    disk.empty()?;
    let (_, answer) = rig.curl(&token, &[], once)?;
    ensure!(answer.contains("\"taken\":2") && answer.ends_with("200"), "{answer}");
    rig.finds("host.name:mot-lan", 2)?;
    ensure!(rig.refused("repeated")? >= 1, "it is counted");
    // Whoever has heard the answer and sends the same once more means it.
    ensure!(rig.curl(&token, &[], once)?.1.ends_with("200"));
    rig.finds("host.name:mot-lan", 4)?;

    let named = ["--header", "Idempotency-Key: lo-7"];
    for _ in 0..3 {
        let (_, answer) = rig.curl(&token, &named, "{\"message\":\"có tên\",\"host\":\"co-ten\"}\n")?;
        ensure!(answer.contains("\"taken\":1") && answer.ends_with("200"), "{answer}");
    }
    rig.finds("host.name:co-ten", 1)?;
    let (_, answer) = rig.curl(&token, &named, "{\"message\":\"khác\",\"host\":\"khac\"}\n")?;
    ensure!(answer.contains("another_body") && answer.ends_with("422"), "{answer}");
    let (_, answer) = rig.curl(&token, &["--header", &format!("Idempotency-Key: {}", "x".repeat(300))], once)?;
    ensure!(answer.contains("bad_key") && answer.ends_with("400"), "{answer}");
    rig.finds("host.name:khac", 0)
}

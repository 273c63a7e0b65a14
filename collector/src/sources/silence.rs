//! A source that falls silent: a problem in the health, and an alert, once for each silence.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use luytre_collector_api::{Alert, AlertRule, EventDocument, RuleKind, Severity, Visibility};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Counts, PREFIX, SourceSettings};
use crate::clock::now_ns;
use crate::detect::alert::SEPARATOR;
use crate::fanout::{Entry, Fanout, Tracking};
use crate::health::Problems;

/// The rule's id.
const RULE: &str = "luytre-source-silent";
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Whether nothing came for longer than it may.
pub fn is_silent(source: &SourceSettings, heard_ns: i64, now_ns: i64) -> bool {
    let after_ns = i64::try_from(source.silent_after_s).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
    after_ns > 0 && now_ns.saturating_sub(heard_ns) > after_ns
}

/// Looks after one source.
pub(super) async fn watch(source: SourceSettings, counts: Arc<Counts>, fanout: Fanout, problems: Problems) {
    let (name, mut told_ns) = (format!("{PREFIX}{} is silent", source.name), None);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let heard_ns = counts.heard_ns.load(Ordering::Relaxed);
        if !is_silent(&source, heard_ns, now_ns()) {
            if told_ns.take().is_some() {
                problems.clear(&name);
            }
            continue;
        }
        if told_ns == Some(heard_ns) {
            continue;
        }
        let since = luytre_events::json::time_text(heard_ns);
        problems
            .raise(&name, format!("nothing came since {since}; look whether it runs and reaches {}", source.listen));
        let (fanout, mut entries) = (fanout.clone(), [entry(&source, heard_ns)]);
        let written = tokio::task::spawn_blocking(move || fanout.append(&mut entries)).await;
        match written {
            Ok(Ok(())) => told_ns = Some(heard_ns),
            // Tried again at the next look.
            Ok(Err(error)) => tracing::error!(source = source.name, %error, "write the alert of a silent source"),
            Err(error) => tracing::error!(source = source.name, %error, "write the alert of a silent source"),
        }
    }
}

fn entry(source: &SourceSettings, heard_ns: i64) -> Entry {
    let sensor = format!("{PREFIX}{}", source.name);
    let key = format!("{RULE}{SEPARATOR}{sensor}");
    let digest = Sha256::digest(format!("{key}{SEPARATOR}{heard_ns}").as_bytes());
    let now_ns = now_ns();
    let (time, since) = (luytre_events::json::time_text(now_ns), luytre_events::json::time_text(heard_ns));
    let event = json!({
        "@timestamp": time, "event": { "dataset": "log", "kind": "alert" }, "observer": { "name": sensor },
        "message": format!("no line since {since}"),
    });
    let text = |text: &str| Some(text.to_owned());
    let rule = AlertRule {
        id: RULE.to_owned(),
        name: "A log source has fallen silent".to_owned(),
        name_vi: text("Nguồn nhật ký im lặng"),
        kind: RuleKind::Correlation,
        revision: env!("CARGO_PKG_VERSION").to_owned(),
        ruleset: String::new(),
        description: "Nothing came from a source for longer than it is allowed to be silent.".to_owned(),
        description_vi: text("Nguồn không gửi gì lâu hơn thời gian cho phép."),
        advice_vi: text("Kiểm tra thiết bị hoặc chương trình gửi nhật ký và đường truyền tới bộ thu thập."),
        advice: text("Look whether the device or program that sends runs, and whether it reaches the collector."),
        techniques: Vec::new(),
        references: Vec::new(),
        false_positives: Vec::new(),
        false_positives_vi: Vec::new(),
    };
    let alert = Alert {
        id: hex::encode(digest.get(..16).unwrap_or_default()),
        sequence: 0,
        time: time.clone(),
        raised: time,
        rule,
        severity: Severity::Medium,
        severity_reasons: vec!["rule_level".to_owned()],
        matched: Vec::new(),
        event_ids: Vec::new(),
        event_count: 0,
        event: EventDocument(event.as_object().cloned().unwrap_or_default()),
        sensor,
        community_id: None,
        source: None,
        destination: None,
        agency: None,
        visibility: Visibility { seen: 0.0, unaccounted: 0, known: false },
    };
    Entry { alert, tracking: Tracking { key, first_ns: heard_ns, last_ns: now_ns, sequence: 0 } }
}

//! E-mail notices, from the alert to the mail server's receipt.

use luytre_console::model::{NoticeState, PageQuery, Role};
use luytre_console::notify::{self, Mailer};
use luytre_console::settings::MailTls;
use serde_json::json;

use crate::fakes::{FakeMailServer, alert};
use crate::harness::Console;

pub async fn with_mail() -> (Console, FakeMailServer, Mailer) {
    luytre_console::tls::install_provider();
    let server = FakeMailServer::start().await;
    let port = server.port;
    let console = Console::start_with(|settings| {
        let mail = &mut settings.mail;
        mail.host = "127.0.0.1".into();
        mail.port = Some(port);
        mail.tls = MailTls::None;
        mail.from = "Lũy Tre <luytre@tinh.example>".into();
        mail.to = vec!["truc@tinh.example".into(), "Trưởng ca <ca@tinh.example>".into()];
        mail.max_attempts = 3;
    })
    .await;
    let mailer = Mailer::new(&console.app.settings.mail).unwrap().unwrap();
    (console, server, mailer)
}

#[tokio::test]
async fn a_severe_alert_is_told_of_once_and_the_receipt_is_kept() {
    let (console, server, mailer) = with_mail().await;
    let lan = console.user("lan", Role::Analyst).await;
    console.collector.raise(alert("a1", "high", "webshell"));
    console.collector.raise(alert("a2", "medium", "scan"));
    console.collector.raise(alert("a1", "critical", "webshell"));
    console.catch_up().await;
    assert_eq!(notify::send_round(&console.app, &mailer).await.unwrap(), 2);
    assert_eq!(notify::send_round(&console.app, &mailer).await.unwrap(), 0);
    let mails = server.mails.lock().unwrap().clone();
    assert_eq!(mails.len(), 2);
    // Nothing in the traffic makes a header line of its own.
    assert!(mails.iter().all(|mail| !mail.lines().any(|line| line.starts_with("Bcc:"))), "{mails:?}");
    let notices = console.get(&lan, "/api/v1/notices").await.json();
    assert_eq!(notices["total"], 2);
    let first = &notices["items"][1];
    assert_eq!(
        (&first["state"], &first["to"], &first["alert_id"]),
        (&json!("sent"), &json!("truc@tinh.example"), &json!("a1"))
    );
    assert_eq!(first["receipt"], "250 queued as 0001");
    assert_eq!(first["subject"], "[CAO] Tải lên web shell – Sở Y tế");
}

#[tokio::test]
async fn a_busy_server_is_tried_again_later_and_given_up_in_the_end() {
    let (console, server, mailer) = with_mail().await;
    let lan = console.user("lan", Role::Analyst).await;
    *server.refuse.lock().unwrap() = 2;
    console.collector.raise(alert("a1", "high", "webshell"));
    console.catch_up().await;
    notify::send_round(&console.app, &mailer).await.unwrap();
    let waiting = console.get(&lan, "/api/v1/notices").await.json()["items"][0].clone();
    assert_eq!((&waiting["state"], &waiting["attempts"]), (&json!("queued"), &json!(1)));
    assert!(waiting["last_error"].as_str().unwrap().contains("busy"), "{waiting}");
    assert_eq!(notify::send_round(&console.app, &mailer).await.unwrap(), 0);
    console.clock.advance_s(31);
    assert_eq!(notify::send_round(&console.app, &mailer).await.unwrap(), 2);
    assert_eq!(server.mails.lock().unwrap().len(), 2);

    *server.refuse.lock().unwrap() = 100;
    console.collector.raise(alert("a2", "high", "webshell"));
    console.catch_up().await;
    for _ in 0..3 {
        notify::send_round(&console.app, &mailer).await.unwrap();
        console.clock.advance_s(3600);
    }
    // Read from the store: by now the session has lapsed.
    let notices = console.app.store.notices(&PageQuery::default()).await.unwrap();
    assert_eq!(notices.items[0].state, NoticeState::Failed);
    assert_eq!(notify::send_round(&console.app, &mailer).await.unwrap(), 0);
}

#[tokio::test]
async fn a_console_that_catches_up_does_not_tell_of_old_alerts() {
    let (console, _server, mailer) = with_mail().await;
    console.clock.advance_s(25 * 3600);
    console.collector.raise(alert("a1", "critical", "webshell"));
    console.catch_up().await;
    assert_eq!(notify::send_round(&console.app, &mailer).await.unwrap(), 0);
}

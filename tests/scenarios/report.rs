//! The daily report, set by the real press: its PDF says in Vietnamese what the page says.
//!
//! The words are read back with pdftotext (Debian package poppler-utils).

use std::process::Command;

use anyhow::{Context, Result, ensure};
use luytre_demo::session::Session;
use luytre_tests::Stage;

#[test]
fn the_daily_report_is_a_pdf_with_vietnamese_words_that_can_be_found() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    let token = stage.stack.setup_token()?;
    let session =
        Session::set_up(&stage.stack.console_api(), &token, "truc-ban", "Mot mat khau dai cho buoi kiem tra 1")?;
    for (lang, wanted) in [
        ("vi", ["Báo cáo tóm tắt ngày", "Tổng số cảnh báo", "Nghiêm trọng", "Thiết bị quan trắc", "múi giờ"]),
        ("en", ["Daily summary", "Alerts", "Critical", "Sensor", "time zone"]),
    ] {
        let text = words(&stage, &session, lang)?;
        let page = session.get(&format!("/reports/daily_summary?lang={lang}"))?;
        let title = page["title"].as_str().context("a report without a title")?;
        for word in wanted.into_iter().chain([title]) {
            ensure!(flat(&text).contains(&flat(word)), "{word} is missing in:\n{text}");
        }
    }
    Ok(())
}

/// The words of the PDF.
fn words(stage: &Stage, session: &Session, lang: &str) -> Result<String> {
    let answer = session.send("GET", &format!("/reports/daily_summary.pdf?lang={lang}"), None)?;
    ensure!(answer.status == 200, "status {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
    let file = stage.folder().join(format!("report-{lang}.pdf"));
    std::fs::write(&file, &answer.body).context("keep the report")?;
    let output = Command::new("pdftotext").arg(&file).arg("-").output().context("start pdftotext (poppler-utils)")?;
    ensure!(output.status.success(), "pdftotext: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).context("read the report's words")
}

/// Without line breaks and capitals, which are the typesetter's business.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

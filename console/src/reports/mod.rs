//! Reports: each in its own folder, one line per report in [`REPORTS`]. A report asks the store and the collector and
//! makes a [`Document`](document::Document) of blocks, the same for page and paper.

pub mod daily_summary;
pub mod document;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::app::App;
use crate::model::Lang;
use document::{Document, ReportInfo};

/// Every report.
pub static REPORTS: &[&dyn Report] = &[&daily_summary::DailySummary];

/// What is asked of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The day it is about, in the console's time zone.
    pub date: Date,
    /// The language it speaks.
    pub lang: Lang,
}

/// Makes a document from what the console and the collector know.
pub trait Report: Sync {
    /// Name and titles.
    fn info(&self) -> ReportInfo;

    /// Makes it. What the collector cannot answer is said in the document; only the console's own database can fail it.
    fn make<'a>(&'a self, app: &'a App, question: Question) -> BoxFuture<'a, anyhow::Result<Document>>;
}

/// The report of a name.
pub fn find(name: &str) -> Option<&'static dyn Report> {
    REPORTS.iter().copied().find(|report| report.info().name == name)
}

/// Today in the console's time zone.
pub fn today(app: &App) -> Date {
    let now = Timestamp::from_microsecond(app.clock.now_us()).unwrap_or(Timestamp::UNIX_EPOCH);
    now.to_zoned(app.zone.clone()).date()
}

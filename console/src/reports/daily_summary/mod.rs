//! The day's summary.
use futures_util::future::BoxFuture;
use super::document::*;
use super::{Question, Report};
use crate::app::App;

/// What happened in a day.
#[derive(Debug)]
pub struct DailySummary;

impl Report for DailySummary {
    fn info(&self) -> ReportInfo {
        ReportInfo { name: "daily_summary".into(), title: "Daily summary".into(), title_vi: "Báo cáo tóm tắt ngày".into() }
    }
    fn make<'a>(&'a self, _app: &'a App, _question: Question) -> BoxFuture<'a, anyhow::Result<Document>> {
        Box::pin(async { anyhow::bail!("not yet") })
    }
}

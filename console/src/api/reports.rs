//! Reports, as blocks and as PDF.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;

use super::extract::Params;
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::model::ReportQuery;
use crate::reports::document::{Document, ReportList};
use crate::reports::{self, Question};

/// The reports that can be made.
#[utoipa::path(get, path = "/api/v1/reports", tag = "reports",
    responses((status = 200, body = ReportList), (status = "default", body = ProblemBody)))]
pub async fn list_reports() -> Json<ReportList> {
    let items: Vec<_> = reports::REPORTS.iter().map(|report| report.info()).collect();
    Json(ReportList { total: items.len() as u64, items })
}

/// Makes a report. With `.pdf` after the name the answer is a PDF.
#[utoipa::path(get, path = "/api/v1/reports/{name}", tag = "reports",
    params(("name" = String, Path, description = "The report; with `.pdf` for paper"), ReportQuery),
    responses((status = 200, body = Document), (status = "default", body = ProblemBody)))]
pub async fn get_report(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Params(query): Params<ReportQuery>,
) -> Result<Response, Problem> {
    let (name, as_pdf) = match name.strip_suffix(".pdf") {
        Some(name) => (name, true),
        None => (name.as_str(), false),
    };
    let report = reports::find(name).ok_or_else(|| Problem::not_found("report"))?;
    let date = match &query.date {
        None => reports::today(&app),
        Some(text) => text.parse::<Date>().map_err(|_| Problem::bad_field("date", "use YYYY-MM-DD"))?,
    };
    let question = Question { date, lang: query.lang.unwrap_or(caller.user.locale) };
    let document = report.make(&app, question).await.map_err(|e| Problem::internal(&format!("{e:#}")))?;
    if !as_pdf {
        return Ok(Json(document).into_response());
    }
    let pdf = app.press.print(&document).await.map_err(|error| {
        tracing::error!(error = %format!("{error:#}"), "typeset a report");
        let message = "the PDF could not be made; the report itself can be read. The console's log has the cause";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "press_failed", message)
    })?;
    app.metrics.documents_pressed.add(1);
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}-{date}.pdf\"")),
    ];
    Ok((headers, pdf).into_response())
}

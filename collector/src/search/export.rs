//! Export: everything a query finds, as text that other programs read, a piece at a time.
//!
//! Comes in: an [`ExportRequest`]. Goes out: pieces of CSV (RFC 4180) or JSON lines, newest events first; memory is bounded by
//! one page of [`PAGE`] events. A page is a search of its own from where the one before ended, so that neither the length of
//! an export nor events that come meanwhile matter; it looks only into the partitions that its events can stand in, so that a
//! year costs little more than its days one by one. What a search would call incomplete ends the export with an error.
//! Cells that a spreadsheet would take for a formula are marked as text.

use luytre_collector_api::{EventDocument, ExportFormat, ExportRequest, SearchAnswer, SearchRequest};
use serde_json::Value as Json;

use super::{Search, SearchError, event_value, parser};

/// Events in a page.
const PAGE: u32 = 5000;
/// The most columns.
const COLUMNS_MAX: usize = 200;
/// What is told of an event where nothing is said.
const COLUMNS: [&str; 14] = [
    "@timestamp",
    "event.dataset",
    "observer.name",
    "source.ip",
    "source.port",
    "destination.ip",
    "destination.port",
    "network.transport",
    "network.protocol",
    "network.community_id",
    "url.original",
    "user.name",
    "organization.id",
    "event.id",
];
/// What begins a formula, also in full width.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];
/// Says that a text is UTF-8, to spreadsheets that would guess otherwise.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// An export under way.
pub struct Exporter {
    search: Search,
    request: SearchRequest,
    format: ExportFormat,
    bom: bool,
    columns: Vec<String>,
    /// Whether they were asked for by name.
    named: bool,
    /// What the first page has found, until it is told.
    first: Option<SearchAnswer>,
    is_over: bool,
    /// How many events match.
    pub total: u64,
}

impl Exporter {
    /// Begins: the query is parsed and its first page is found, so that what is wrong with it is told at once.
    pub fn begin(search: Search, wished: &ExportRequest, now_ns: i64) -> Result<Exporter, SearchError> {
        if wished.fields.len() > COLUMNS_MAX {
            return Err(SearchError::Request(format!("at most {COLUMNS_MAX} fields can be exported")));
        }
        let catalogue = luytre_events::Catalogue::current();
        for name in &wished.fields {
            parser::find_field(catalogue, name).map_err(SearchError::Request)?;
        }
        let request = SearchRequest {
            query: wished.query.clone(),
            from: wished.from.clone(),
            to: wished.to.clone(),
            limit: Some(PAGE),
            set: wished.set.clone(),
            ..SearchRequest::default()
        };
        let mut exporter = Exporter {
            search,
            request,
            format: wished.format,
            bom: wished.bom,
            columns: wished.fields.clone(),
            named: !wished.fields.is_empty(),
            first: None,
            is_over: false,
            total: 0,
        };
        let first = exporter.page(now_ns)?;
        exporter.total = first.total;
        if let Some(table) = &first.table {
            exporter.columns = table.columns.clone();
        } else if first.timeline.is_some() {
            exporter.columns = vec!["start".to_owned(), "count".to_owned()];
        } else if exporter.columns.is_empty() {
            exporter.columns = COLUMNS.map(str::to_owned).to_vec();
        }
        exporter.first = Some(first);
        Ok(exporter)
    }

    /// The next piece; blocks the thread. Nothing at the end.
    pub fn next(&mut self, now_ns: i64) -> Result<Option<String>, SearchError> {
        if self.is_over {
            return Ok(None);
        }
        let mut piece = String::new();
        let answer = match self.first.take() {
            Some(first) => {
                if self.format == ExportFormat::Csv {
                    piece.push_str(if self.bom { BYTE_ORDER_MARK } else { "" });
                    // Names of the catalogue, as other programs look for them: no stranger's text.
                    piece.push_str(&self.columns.join(","));
                    piece.push_str("\r\n");
                }
                first
            }
            None => self.page(now_ns)?,
        };
        self.request.cursor = answer.cursor.clone();
        self.is_over = answer.cursor.is_none() || (answer.events.is_empty() && answer.table.is_none());
        self.tell(answer, &mut piece);
        Ok(Some(piece))
    }

    fn page(&self, now_ns: i64) -> Result<SearchAnswer, SearchError> {
        let is_first = self.request.cursor.is_none();
        let answer = match is_first {
            // Says how many there are in all.
            true => self.search.run(&self.request, now_ns)?,
            false => self.search.page(&self.request, now_ns)?,
        };
        match answer.partial.first() {
            None => Ok(answer),
            Some(reason) => Err(SearchError::Request(format!("the export would not be whole: {reason}"))),
        }
    }

    fn tell(&self, answer: SearchAnswer, piece: &mut String) {
        let mut line = |cells: Vec<Json>| match self.format {
            ExportFormat::Csv => csv_line(piece, &cells),
            ExportFormat::Jsonl => {
                let row: serde_json::Map<String, Json> = self.columns.iter().cloned().zip(cells).collect();
                json_line(piece, &Json::Object(row));
            }
        };
        if let Some(table) = answer.table {
            table.rows.into_iter().for_each(line);
        } else if let Some(timeline) = answer.timeline {
            timeline.bars.into_iter().for_each(|bar| line(vec![bar.start.into(), bar.count.into()]));
        } else if self.format == ExportFormat::Jsonl && !self.named {
            answer.events.into_iter().for_each(|event| json_line(piece, &Json::Object(event.0)));
        } else {
            let cells = |event: &EventDocument| self.columns.iter().map(|name| event_value(event, name)).collect();
            answer.events.iter().for_each(|event| line(cells(event)));
        }
    }
}

fn json_line(out: &mut String, json: &Json) {
    out.push_str(&json.to_string());
    out.push('\n');
}

fn csv_line(out: &mut String, cells: &[Json]) {
    for (number, cell) in cells.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        csv_cell(out, cell);
    }
    out.push_str("\r\n");
}

/// One cell: numbers as they are, texts so that they stay texts, several values with a semicolon between them.
fn csv_cell(out: &mut String, cell: &Json) {
    let text = match cell {
        Json::Null => return,
        Json::Number(_) | Json::Bool(_) => return out.push_str(&cell.to_string()),
        Json::String(text) => text.clone(),
        Json::Array(items) => {
            let shown = |item: &Json| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            items.iter().map(shown).collect::<Vec<_>>().join("; ")
        }
        Json::Object(_) => cell.to_string(),
    };
    let mark = if text.starts_with(FORMULA) { "'" } else { "" };
    if mark.is_empty() && !text.contains(['"', ',', ';', '\n', '\r', '\0']) && text.trim().len() == text.len() {
        return out.push_str(&text);
    }
    out.push('"');
    out.push_str(mark);
    out.push_str(&text.replace('"', "\"\"").replace('\0', "\u{fffd}"));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(cells: &[Json]) -> String {
        let mut out = String::new();
        csv_line(&mut out, cells);
        out
    }

    #[test]
    fn cells_stay_what_they_are_in_a_spreadsheet() {
        assert_eq!(line(&[json!("Sở Y tế"), json!(-5), Json::Null, json!(true)]), "Sở Y tế,-5,,true\r\n");
        assert_eq!(
            line(&[json!("a,b"), json!("nói \"có\""), json!("hai\ndòng")]),
            "\"a,b\",\"nói \"\"có\"\"\",\"hai\ndòng\"\r\n"
        );
        assert_eq!(line(&[json!(["192.0.2.1", "192.0.2.2"])]), "\"192.0.2.1; 192.0.2.2\"\r\n");
    }

    #[test]
    fn no_text_becomes_a_formula() {
        for evil in ["=cmd|'/c calc'!A1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "＝1", "=\"x\""] {
            let told = line(&[json!(evil)]);
            assert!(told.starts_with("\"'"), "{evil:?} became {told:?}");
        }
        assert!(line(&[json!(["=1", "2"])]).starts_with("\"'="));
    }
}

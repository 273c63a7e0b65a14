//! A file that somebody brings, as rows of a table: CSV (UTF-8, comma or semicolon) or XLSX.
//!
//! Comes in: at most [`MAX_FILE_BYTES`] bytes from elsewhere. Goes out: rows with the numbers that a spreadsheet shows, and
//! headings that nobody understands as faults. A workbook that unpacks without end, or a table of more than
//! [`MAX_ROWS`] rows, is refused before anything of it is kept.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cells::Cells;
use super::{Fault, Table, xlsx};
use crate::register_data::TableData;
use crate::store::sql::folded;

/// The largest file.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// How many rows a table may have beside its headings.
pub const MAX_ROWS: usize = 10_000;

/// How many columns are looked at.
pub(super) const MAX_COLUMNS: usize = 64;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Text with commas or semicolons.
    Csv,
    /// A workbook.
    Xlsx,
}

/// A row with the number that a spreadsheet shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRow {
    /// From 1; the headings have a number too.
    pub number: u32,
    /// The cells whose columns were understood.
    pub cells: Cells,
}

/// A table as it was brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The rows.
    pub rows: Vec<SheetRow>,
    /// Headings that nobody understands, and those that are missing.
    pub faults: Vec<Fault>,
}

/// Why a file is no table at all.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// It is too large.
    #[error("{0}")]
    TooLarge(String),
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

/// Reads a file.
pub fn read(table: Table, format: Format, bytes: &[u8]) -> Result<Sheet, SheetError> {
    if bytes.len() > MAX_FILE_BYTES {
        let limit = MAX_FILE_BYTES >> 20;
        return Err(SheetError::TooLarge(format!("the file is larger than {limit} MB; split it into several")));
    }
    let Some(data) = table.data() else { return Err(SheetError::Unreadable("there is no such table".to_owned())) };
    let lines = match format {
        Format::Csv => csv_lines(bytes)?,
        Format::Xlsx => xlsx::lines(bytes, data)?,
    };
    Ok(understood(data, lines))
}

/// Lines of cells with their numbers.
pub(super) type Lines = Vec<(u32, Vec<String>)>;

pub(super) fn too_many_rows() -> SheetError {
    SheetError::TooLarge(format!("the table has more than {MAX_ROWS} rows; split it into several"))
}

fn csv_lines(bytes: &[u8]) -> Result<Lines, SheetError> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        SheetError::Unreadable("the file is no UTF-8 text; save it as `CSV UTF-8`, or as XLSX".to_owned())
    })?;
    // With both ends of a line the reader would count every line but the first one short.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let head = text.lines().next().unwrap_or_default();
    // Spreadsheets in Vietnamese write semicolons.
    let comma = if head.matches(';').count() > head.matches(',').count() { b';' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(comma).from_reader(text.as_bytes());
    let mut lines = Lines::new();
    for line in reader.records() {
        let line =
            line.map_err(|cause| SheetError::Unreadable(format!("read the file: {cause}; save it again as CSV")))?;
        let number = line.position().map_or(0, csv::Position::line);
        if lines.len() > MAX_ROWS {
            return Err(too_many_rows());
        }
        let cells = line.iter().take(MAX_COLUMNS).map(|cell| unquoted(cell).to_owned()).collect();
        lines.push((u32::try_from(number).unwrap_or(u32::MAX), cells));
    }
    Ok(lines)
}

/// Exports write a quote before what a spreadsheet would take for a formula.
fn unquoted(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        _ => cell,
    }
}

/// Finds the columns by their headings and gives each row its cells.
fn understood(data: &'static TableData, lines: Lines) -> Sheet {
    let mut sheet = Sheet::default();
    let mut lines = lines.into_iter().filter(|(_, cells)| cells.iter().any(|cell| !cell.trim().is_empty()));
    let Some((_, headings)) = lines.next() else {
        sheet.faults.push(Fault::new("", "empty", "", "the file is empty; put the headings into the first row"));
        return sheet;
    };
    let mut columns: Vec<Option<&'static str>> = Vec::new();
    for heading in &headings {
        let wanted = plain(heading);
        let names =
            |column: &crate::register_data::TableColumn| [plain(&column.id), plain(&column.vi), plain(&column.en)];
        let found = data.column.iter().find(|column| names(column).contains(&wanted));
        let found = found.map(|column| column.id.as_str());
        if found.is_none() && !wanted.is_empty() {
            let message = "this column is not known and was left out; rename it or take it away";
            sheet.faults.push(Fault::new(heading, "unknown_column", heading, message));
        }
        if let Some(id) = found
            && columns.contains(&Some(id))
        {
            let message = "this column stands twice; take one of them away";
            sheet.faults.push(Fault::new(id, "double_column", heading, message));
        }
        columns.push(found);
    }
    for column in data.column.iter().filter(|column| column.needed && !columns.contains(&Some(column.id.as_str()))) {
        let message = format!("the column `{}` (`{}`) is missing; add it", column.id, column.vi);
        sheet.faults.push(Fault::new(&column.id, "missing_column", "", message));
    }
    for (number, cells) in lines {
        let named = columns.iter().zip(cells).filter_map(|(column, cell)| Some(((*column)?, cell.trim().to_owned())));
        sheet.rows.push(SheetRow { number, cells: named.collect() });
    }
    sheet
}

/// A heading without marks, spaces and stars.
fn plain(heading: &str) -> String {
    folded(heading).chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// A table as CSV: with the mark that spreadsheets know UTF-8 by, and nothing that they would take for a formula.
pub fn write_csv(data: &TableData, rows: impl Iterator<Item = Cells>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    let headings = data.column.iter().map(|column| column.id.as_str());
    // Writing into memory does not fail.
    let _ = writer.write_record(headings);
    for row in rows {
        let cells = data.column.iter().map(|column| {
            let cell = row.get(column.id.as_str()).map_or("", String::as_str);
            if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
        });
        let _ = writer.write_record(cells);
    }
    writer.into_inner().unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::{Cursor, Write as _};

    use super::*;

    /// A workbook with one sheet of texts; a cell that begins with `#` is the number after it, in the style of days.
    pub(crate) fn workbook(sheet: &str, rows: &[&[&str]]) -> Vec<u8> {
        let mut body = String::new();
        for (number, row) in rows.iter().enumerate() {
            body.push_str(&format!("<row r=\"{}\">", number + 1));
            for (column, text) in row.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                let place = format!("{}{}", char::from(b'A' + column as u8), number + 1);
                match text.strip_prefix('#') {
                    Some(day) => body.push_str(&format!("<c r=\"{place}\" s=\"1\"><v>{day}</v></c>")),
                    None => body.push_str(&format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")),
                }
            }
            body.push_str("</row>");
        }
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let package = "http://schemas.openxmlformats.org/package/2006";
        let parts = [
            ("[Content_Types].xml", format!("<Types xmlns=\"{package}/content-types\"/>")),
            (
                "_rels/.rels",
                format!(
                    "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" \
                Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
                ),
            ),
            (
                "xl/workbook.xml",
                format!(
                    "<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets><sheet name=\"{sheet}\" \
                sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                format!(
                    "<Relationships xmlns=\"{package}/relationships\"><Relationship \
                Id=\"r1\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"r2\" \
                Type=\"{office}/styles\" Target=\"styles.xml\"/></Relationships>"
                ),
            ),
            (
                "xl/styles.xml",
                format!(
                    "<styleSheet xmlns=\"{main}\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/>\
                <xf numFmtId=\"14\"/></cellXfs></styleSheet>"
                ),
            ),
            (
                "xl/worksheets/sheet1.xml",
                format!("<worksheet xmlns=\"{main}\"><sheetData>{body}</sheetData></worksheet>"),
            ),
        ];
        packed(parts.iter().map(|(name, text)| (*name, text.as_bytes())))
    }

    fn packed<'a>(parts: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_workbook_and_a_text_say_the_same() {
        let rows: [&[&str]; 3] = [
            &["Mã hệ thống", "Tên đơn vị", "Hiệu lực từ"],
            &["syt", "Sở Y tế", "2025-07-01"],
            &["stc", "Sở Tài chính", ""],
        ];
        let text: String = rows.iter().map(|row| format!("{}\r\n", row.join(";"))).collect();
        let csv = read(Table::Agencies, Format::Csv, format!("\u{feff}{text}").as_bytes()).unwrap();
        // 45839 is how a workbook keeps 01/07/2025.
        let rows: [&[&str]; 3] = [rows[0], &["syt", "Sở Y tế", "#45839"], rows[2]];
        let book = read(Table::Agencies, Format::Xlsx, &workbook("Đơn vị", &rows)).unwrap();
        assert!(csv.faults.is_empty(), "{csv:?}");
        let cell =
            |sheet: &Sheet, row: usize, column: &str| sheet.rows[row].cells.get(column).cloned().unwrap_or_default();
        for (row, column) in [(0, "id"), (0, "name"), (0, "valid_from"), (1, "id"), (1, "valid_from")] {
            assert_eq!(cell(&csv, row, column), cell(&book, row, column));
        }
        assert_eq!(cell(&book, 0, "valid_from"), "2025-07-01");
        assert_eq!((csv.rows[1].number, book.rows[1].number), (3, 3));
    }

    #[test]
    fn headings_that_are_missing_strange_or_double_are_told() {
        let sheet = read(Table::Contacts, Format::Csv, b"agency,phone,email,E-mail\nsyt,1,a@b.vn,c@d.vn\n").unwrap();
        let codes: Vec<&str> = sheet.faults.iter().map(|fault| fault.code.as_str()).collect();
        assert_eq!(codes, ["unknown_column", "double_column", "missing_column"]);
        assert_eq!(read(Table::Contacts, Format::Csv, b"\n\n").unwrap().faults[0].code, "empty");
    }

    #[test]
    fn what_unpacks_without_end_and_what_is_no_table_is_refused() {
        let blanks = vec![b' '; (xlsx::MAX_UNPACKED_BYTES + 1) as usize];
        let bomb = packed([("xl/workbook.xml", blanks.as_slice())].into_iter());
        assert!(bomb.len() < MAX_FILE_BYTES);
        assert!(matches!(read(Table::Agencies, Format::Xlsx, &bomb), Err(SheetError::TooLarge(_))));
        for nonsense in [&b"PK\x03\x04 not a workbook"[..], b"", &[0xff; 100]] {
            assert!(matches!(read(Table::Agencies, Format::Xlsx, nonsense), Err(SheetError::Unreadable(_))));
        }
        assert!(matches!(read(Table::Agencies, Format::Csv, &[0xff, 0xfe, 0]), Err(SheetError::Unreadable(_))));
        let many = "id,name\n".to_owned() + &"a,b\n".repeat(MAX_ROWS + 1);
        assert!(matches!(read(Table::Agencies, Format::Csv, many.as_bytes()), Err(SheetError::TooLarge(_))));
    }

    #[test]
    fn exports_hold_no_formulas_and_come_back_as_they_were() {
        let row =
            Cells::from([("agency", "syt".to_owned()), ("name", "=1+1".to_owned()), ("telephone", "+84 1".to_owned())]);
        let data = Table::Contacts.data().unwrap();
        let written = write_csv(data, [row.clone()].into_iter());
        assert!(String::from_utf8_lossy(&written).contains("'=1+1"));
        let back = read(Table::Contacts, Format::Csv, &written).unwrap();
        for (column, cell) in &row {
            assert_eq!(back.rows[0].cells.get(column), Some(cell));
        }
    }
}

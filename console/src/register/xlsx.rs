//! A workbook (Office Open XML, ECMA-376 part 1) as lines of texts: the sheet that is called like the table, else the first.
//!
//! Comes in: an archive from elsewhere. Its parts are unpacked within [`MAX_UNPACKED_BYTES`] together, counted as they come
//! and not as the archive says. Formulas are taken with the value that was last computed; macros, links and pictures are not
//! looked at. XML that declares entities of its own has none of them resolved.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::sheet::{Lines, MAX_COLUMNS, MAX_ROWS, SheetError, too_many_rows};
use crate::register_data::TableData;
use crate::store::sql::folded;

/// The most that a workbook may unpack to.
pub const MAX_UNPACKED_BYTES: u64 = 64 << 20;

/// Formats of numbers that are days or times without being written out (part 1, 18.8.30).
const DAYS: [std::ops::RangeInclusive<u32>; 2] = [14..=22, 45..=47];

/// The lines of a sheet.
pub fn lines(bytes: &[u8], table: &TableData) -> Result<Lines, SheetError> {
    let mut book = Book::open(bytes)?;
    let workbook = book.part("xl/workbook.xml")?.ok_or_else(|| unreadable(&"it has no workbook in it"))?;
    let (sheets, since_1904) = sheets(&workbook)?;
    let relations =
        book.part("xl/_rels/workbook.xml.rels")?.map(|xml| relations(&xml)).transpose()?.unwrap_or_default();
    let wanted = [folded(&table.id), folded(&table.vi), folded(&table.en)];
    let named = sheets.iter().find(|(name, _)| wanted.contains(&folded(name))).or(sheets.first());
    let (_, relation) = named.ok_or_else(|| unreadable(&"it has no sheet"))?;
    let target = relations.get(relation).map_or("worksheets/sheet1.xml", String::as_str);
    let place = target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned);
    let texts = book.part("xl/sharedStrings.xml")?.map(|xml| shared_texts(&xml)).transpose()?.unwrap_or_default();
    let days = book.part("xl/styles.xml")?.map(|xml| day_styles(&xml)).transpose()?.unwrap_or_default();
    let sheet = book.part(&place)?.ok_or_else(|| unreadable(&format!("the part {place} is missing")))?;
    cells(&sheet, &Look { texts, days, since_1904 })
}

fn unreadable(cause: &dyn std::fmt::Display) -> SheetError {
    SheetError::Unreadable(format!("read the workbook: {cause}; save it again as XLSX without a password, or as CSV"))
}

/// An archive and how much may still come out of it.
struct Book<'a> {
    archive: zip::ZipArchive<Cursor<&'a [u8]>>,
    left: u64,
}

impl<'a> Book<'a> {
    fn open(bytes: &'a [u8]) -> Result<Book<'a>, SheetError> {
        let archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|cause| unreadable(&cause))?;
        Ok(Book { archive, left: MAX_UNPACKED_BYTES })
    }

    /// A part, or nothing where there is none.
    fn part(&mut self, name: &str) -> Result<Option<Vec<u8>>, SheetError> {
        let part = match self.archive.by_name(name) {
            Ok(part) => part,
            Err(zip::result::ZipError::FileNotFound) => return Ok(None),
            Err(cause) => return Err(unreadable(&cause)),
        };
        let mut unpacked = Vec::new();
        part.take(self.left + 1).read_to_end(&mut unpacked).map_err(|cause| unreadable(&cause))?;
        let taken = unpacked.len() as u64;
        if taken > self.left {
            let limit = MAX_UNPACKED_BYTES >> 20;
            return Err(SheetError::TooLarge(format!("the workbook unpacks to more than {limit} MB; split it")));
        }
        self.left -= taken;
        Ok(Some(unpacked))
    }
}

/// What cells refer to.
struct Look {
    texts: Vec<String>,
    days: Vec<bool>,
    since_1904: bool,
}

/// Goes through the elements of a part: each beginning, each text, each end.
fn walk(xml: &[u8], mut seen: impl FnMut(Step<'_>) -> Result<(), SheetError>) -> Result<(), SheetError> {
    let text = std::str::from_utf8(xml).map_err(|cause| unreadable(&cause))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    loop {
        match reader.read_event().map_err(|cause| unreadable(&cause))? {
            Event::Start(element) => seen(Step::Begin(&element))?,
            Event::Empty(element) => {
                seen(Step::Begin(&element))?;
                seen(Step::End(element.local_name().as_ref()))?;
            }
            Event::End(element) => seen(Step::End(element.local_name().as_ref()))?,
            Event::Text(text) => seen(Step::Text(&text.xml10_content()))?,
            Event::CData(text) => seen(Step::Text(&text.xml10_content()))?,
            Event::GeneralRef(entity) => {
                let letter = entity.resolve_char_ref().map_err(|cause| unreadable(&cause))?;
                let known = quick_xml::escape::resolve_predefined_entity(&entity).unwrap_or_default();
                seen(Step::Text(&letter.map_or_else(|| known.to_owned(), String::from)))?;
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

enum Step<'a> {
    Begin(&'a BytesStart<'a>),
    Text(&'a str),
    End(&'a str),
}

fn attribute(element: &BytesStart<'_>, wanted: &str) -> Option<String> {
    let found = element.attributes().flatten().find(|one| one.key.local_name().as_ref() == wanted)?;
    Some(found.value.into_owned())
}

/// The names of the sheets with their relations, and whether days count from 1904.
fn sheets(xml: &[u8]) -> Result<(Vec<(String, String)>, bool), SheetError> {
    let (mut sheets, mut since_1904) = (Vec::new(), false);
    walk(xml, |step| {
        if let Step::Begin(element) = step {
            match element.local_name().as_ref() {
                "sheet" => {
                    let name = attribute(element, "name").unwrap_or_default();
                    let name =
                        quick_xml::escape::unescape(&name).map_or_else(|_| name.clone(), |name| name.into_owned());
                    sheets.push((name, attribute(element, "id").unwrap_or_default()));
                }
                "workbookPr" => since_1904 = attribute(element, "date1904").is_some_and(|on| on == "1" || on == "true"),
                _ => {}
            }
        }
        Ok(())
    })?;
    Ok((sheets, since_1904))
}

/// Parts by the relation that names them.
fn relations(xml: &[u8]) -> Result<BTreeMap<String, String>, SheetError> {
    let mut found = BTreeMap::new();
    walk(xml, |step| {
        if let Step::Begin(element) = step
            && element.local_name().as_ref() == "Relationship"
            && let (Some(id), Some(target)) = (attribute(element, "Id"), attribute(element, "Target"))
        {
            found.insert(id, target);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Texts that cells share: the runs of each put together, without what only says how it is read aloud.
fn shared_texts(xml: &[u8]) -> Result<Vec<String>, SheetError> {
    let mut texts: Vec<String> = Vec::new();
    let (mut inside, mut aloud) = (false, false);
    walk(xml, |step| {
        match step {
            Step::Begin(element) => match element.local_name().as_ref() {
                "si" => texts.push(String::new()),
                "t" => inside = true,
                "rPh" => aloud = true,
                _ => {}
            },
            Step::Text(text) if inside && !aloud => {
                if let Some(last) = texts.last_mut() {
                    last.push_str(text);
                }
            }
            Step::Text(_) => {}
            Step::End("t") => inside = false,
            Step::End("rPh") => aloud = false,
            Step::End(_) => {}
        }
        Ok(())
    })?;
    Ok(texts)
}

/// For each style of cells whether its numbers are days.
fn day_styles(xml: &[u8]) -> Result<Vec<bool>, SheetError> {
    let mut own: BTreeMap<u32, bool> = BTreeMap::new();
    let (mut styles, mut inside) = (Vec::new(), false);
    walk(xml, |step| {
        match step {
            Step::Begin(element) => {
                let number = |name: &str| attribute(element, name).and_then(|text| text.parse::<u32>().ok());
                match element.local_name().as_ref() {
                    "numFmt" => {
                        let format = attribute(element, "formatCode").unwrap_or_default();
                        own.extend(number("numFmtId").map(|id| (id, is_day_format(&format))));
                    }
                    "cellXfs" => inside = true,
                    "xf" if inside => {
                        let id = number("numFmtId").unwrap_or_default();
                        let usual = DAYS.iter().any(|days| days.contains(&id));
                        styles.push(own.get(&id).copied().unwrap_or(usual));
                    }
                    _ => {}
                }
            }
            Step::End("cellXfs") => inside = false,
            _ => {}
        }
        Ok(())
    })?;
    Ok(styles)
}

/// Whether a format shows days: letters of days outside of quotes and brackets.
fn is_day_format(format: &str) -> bool {
    let (mut quoted, mut bracketed) = (false, false);
    format.replace("&quot;", "\"").chars().any(|letter| {
        match letter {
            '"' => quoted = !quoted,
            '[' => bracketed = true,
            ']' => bracketed = false,
            _ => {}
        }
        !quoted && !bracketed && matches!(letter, 'd' | 'y' | 'D' | 'Y')
    })
}

/// The cells of a sheet, line by line.
fn cells(xml: &[u8], look: &Look) -> Result<Lines, SheetError> {
    let mut lines = Lines::new();
    let mut cell = Cell::default();
    let mut inside = false;
    walk(xml, |step| {
        match step {
            Step::Begin(element) => match element.local_name().as_ref() {
                "row" => {
                    let next = lines.last().map_or(1, |(last, _)| last + 1);
                    let number = attribute(element, "r").and_then(|text| text.parse().ok()).unwrap_or(next);
                    if lines.len() > MAX_ROWS {
                        return Err(too_many_rows());
                    }
                    lines.push((number, Vec::new()));
                }
                "c" => {
                    let next = lines.last().map_or(0, |(_, cells)| cells.len());
                    cell = Cell {
                        column: attribute(element, "r").and_then(|place| column_of(&place)).unwrap_or(next),
                        kind: attribute(element, "t").unwrap_or_default(),
                        style: attribute(element, "s").and_then(|text| text.parse().ok()).unwrap_or_default(),
                        text: String::new(),
                    };
                }
                "v" | "t" => inside = true,
                _ => {}
            },
            Step::Text(text) if inside => cell.text.push_str(text),
            Step::Text(_) => {}
            Step::End("v" | "t") => inside = false,
            Step::End("c") => {
                if let Some((_, cells)) = lines.last_mut()
                    && cell.column < MAX_COLUMNS
                {
                    cells.resize_with(cells.len().max(cell.column + 1), String::new);
                    if let Some(place) = cells.get_mut(cell.column) {
                        *place = cell.shown(look);
                    }
                }
            }
            Step::End(_) => {}
        }
        Ok(())
    })?;
    lines.retain(|(_, cells)| cells.iter().any(|cell| !cell.is_empty()));
    Ok(lines)
}

#[derive(Default)]
struct Cell {
    column: usize,
    kind: String,
    style: usize,
    text: String,
}

impl Cell {
    /// The cell as people see it.
    fn shown(&self, look: &Look) -> String {
        let text = self.text.trim();
        match self.kind.as_str() {
            "s" => text.parse().ok().and_then(|at: usize| look.texts.get(at)).map_or("", |text| text.trim()).to_owned(),
            "e" => String::new(),
            "inlineStr" | "str" | "b" | "d" => text.to_owned(),
            _ => match text.parse::<f64>() {
                Ok(number) if look.days.get(self.style).copied().unwrap_or_default() => day(number, look.since_1904),
                Ok(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
                _ => text.to_owned(),
            },
        }
    }
}

/// The column of a place, from 0: `B7` is 1.
fn column_of(place: &str) -> Option<usize> {
    let mut letters = place.bytes().take_while(u8::is_ascii_uppercase);
    let column =
        letters.try_fold(0usize, |sum, letter| sum.checked_mul(26)?.checked_add(usize::from(letter - b'A') + 1))?;
    column.checked_sub(1)
}

/// The day of a number (part 1, 18.17.4.1): counted from the end of 1899, or from 1904.
fn day(number: f64, since_1904: bool) -> String {
    let start = if since_1904 { jiff::civil::date(1904, 1, 1) } else { jiff::civil::date(1899, 12, 30) };
    let days = if (0.0..3_000_000.0).contains(&number) { number.floor() as i64 } else { -1 };
    let moved = jiff::Span::new().try_days(days).ok().and_then(|days| start.checked_add(days).ok());
    moved.filter(|_| days >= 0).map_or_else(|| number.to_string(), |day| day.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_places_are_those_of_spreadsheets() {
        assert_eq!(day(45_839.5, false), "2025-07-01");
        assert_eq!(day(44_377.0, true), "2025-07-01");
        assert_eq!(day(-3.0, false), "-3");
        assert_eq!(
            (column_of("A1"), column_of("Z9"), column_of("AB12"), column_of("12")),
            (Some(0), Some(25), Some(27), None)
        );
        assert!(is_day_format("dd/mm/yyyy") && is_day_format("[$-42A]d &quot;tháng&quot; m"));
        assert!(!is_day_format("0.00") && !is_day_format("\"dy\"0") && !is_day_format("[Red]0"));
    }

    #[test]
    fn shared_texts_are_put_together_and_entities_of_ones_own_are_not_resolved() {
        let xml = br#"<!DOCTYPE x [<!ENTITY b "bom">]><sst><si><r><t>S&#7903; </t></r><r><t>Y t&#x1EBF; &amp; D&b;</t></r><rPh><t>x</t></rPh></si><si/></sst>"#;
        assert_eq!(shared_texts(xml).unwrap(), ["Sở Y tế & D", ""]);
    }
}

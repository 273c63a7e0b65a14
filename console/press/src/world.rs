//! All that the typesetter can see: one template, one data file, four fonts.

use anyhow::Context as _;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt as _, World};
use typst_pdf::PdfOptions;

/// The layout.
const TEMPLATE: &str = include_str!("../template/document.typ");

/// Liberation Serif: as wide as Times New Roman, with all Vietnamese letters, under the SIL Open Font License.
const FONTS: [&[u8]; 4] = [
    include_bytes!("../fonts/LiberationSerif-Regular.ttf"),
    include_bytes!("../fonts/LiberationSerif-Bold.ttf"),
    include_bytes!("../fonts/LiberationSerif-Italic.ttf"),
    include_bytes!("../fonts/LiberationSerif-BoldItalic.ttf"),
];

/// Typesets a document; answers the PDF.
pub fn typeset(document: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&document)
        .context("read the document as JSON")?;
    let room = Room::new(document)?;
    let paged = typst::compile(&room).output.map_err(|errors| complaint(&errors))?;
    let options = PdfOptions { tagged: true, ..PdfOptions::default() };
    typst_pdf::pdf(&paged, &options).map_err(|errors| complaint(&errors))
}

fn complaint(errors: &[SourceDiagnostic]) -> anyhow::Error {
    let lines: Vec<&str> = errors.iter().take(3).map(|error| error.message.as_str()).collect();
    anyhow::anyhow!("typeset the document: {}", lines.join("; "))
}

/// The closed room the typesetter works in.
struct Room {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    template: Source,
    data_id: FileId,
    data: Bytes,
}

impl Room {
    fn new(document: Vec<u8>) -> anyhow::Result<Room> {
        let fonts: Vec<Font> = FONTS.iter().filter_map(|bytes| Font::new(Bytes::new(*bytes), 0)).collect();
        anyhow::ensure!(fonts.len() == FONTS.len(), "a font of the program cannot be read");
        Ok(Room {
            library: LazyHash::new(Library::default()),
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            fonts,
            template: Source::new(file_id("document.typ")?, TEMPLATE.to_owned()),
            data_id: file_id("data.json")?,
            data: Bytes::new(document),
        })
    }
}

fn file_id(name: &str) -> anyhow::Result<FileId> {
    let path = VirtualPath::new(name).map_err(|_| anyhow::anyhow!("name the virtual file {name}"))?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

impl World for Room {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    fn main(&self) -> FileId {
        self.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.template.id() { Ok(self.template.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == self.data_id { Ok(self.data.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }

    /// Documents carry their own dates, so that the same document always makes the same PDF.
    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(blocks: serde_json::Value) -> Vec<u8> {
        let document = serde_json::json!({
            "title": "Báo cáo tóm tắt ngày", "subtitle": "Ngày 22/11/2026", "generated_at": "2026-11-22T10:00:00Z",
            "lang": "vi", "footer": "Lũy Tre", "blocks": blocks,
            "letterhead": {"superior": "ỦY BAN NHÂN DÂN TỈNH", "issuer": "Đội ứng cứu sự cố", "national": true,
                "symbol": "Số:      /BC-ĐUCSC", "place_and_date": "ngày 22 tháng 11 năm 2026"},
        });
        serde_json::to_vec(&document).unwrap()
    }

    #[test]
    fn every_block_is_typeset() {
        let pdf = typeset(document(serde_json::json!([
            {"type": "heading", "level": 1, "text": "Tình hình chung"},
            {"type": "paragraph", "text": "Ngưỡng ắ ằ ẳ ẵ ặ ễ ữ ỡ."},
            {"type": "facts", "items": [{"label": "Tổng số cảnh báo", "value": "1.250"}]},
            {"type": "table", "columns": [{"title": "Luật", "align": "left"}, {"title": "Số", "align": "right"}],
                "rows": [{"cells": ["Quét cổng", "3"]}], "caption": "Bảng 1"},
            {"type": "table", "columns": [{"title": "Luật", "align": "left"}], "rows": []},
            {"type": "bars", "title": "Theo mức độ", "unit": "cảnh báo", "items": [{"label": "cao", "value": 0.0, "text": "0"}]},
            {"type": "note", "tone": "good", "text": "Không có sự cố."},
        ])));
        assert!(pdf.unwrap().starts_with(b"%PDF"));
    }

    #[test]
    fn text_is_never_markup() {
        let hostile = "#panic(\"x\") #read(\"/etc/passwd\") $ _ * ` <label> @ref \\";
        let pdf = typeset(document(serde_json::json!([{"type": "paragraph", "text": hostile}])));
        assert!(pdf.unwrap().starts_with(b"%PDF"));
    }

    #[test]
    fn the_same_document_makes_the_same_pdf() {
        let blocks = serde_json::json!([{"type": "paragraph", "text": "một"}]);
        assert_eq!(typeset(document(blocks.clone())).unwrap(), typeset(document(blocks)).unwrap());
    }

    #[test]
    fn what_is_no_document_is_an_error() {
        assert!(typeset(b"nonsense".to_vec()).is_err());
        assert!(typeset(b"{}".to_vec()).is_err());
        assert!(typeset(document(serde_json::json!([{"type": "unheard-of"}]))).is_err());
    }
}

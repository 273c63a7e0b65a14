//! A report as blocks, the same for page and paper. Reports make it; the interface draws it and the press prints it.
//! All texts and numbers are finished for people in the document's language; nothing is computed after this.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::Lang;

/// A finished report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Document {
    /// Its title.
    pub title: String,
    /// What it covers.
    pub subtitle: String,
    /// When it was made, RFC 3339.
    pub generated_at: String,
    /// Its language.
    pub lang: Lang,
    /// The heading of an administrative document, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letterhead: Option<Letterhead>,
    /// A line at the foot of every page.
    pub footer: String,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// The heading of an administrative document (NĐ 30/2020/NĐ-CP, Phụ lục I).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Letterhead {
    /// The superior body; empty for none.
    pub superior: String,
    /// The issuing body.
    pub issuer: String,
    /// Whether the national title stands at the right.
    pub national: bool,
    /// The number and symbol, the number left blank for the clerk.
    pub symbol: String,
    /// Place and date.
    pub place_and_date: String,
}

/// A piece of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Block {
    /// A heading.
    Heading {
        /// 1 to 3.
        level: u8,
        /// The text.
        text: String,
    },
    /// A paragraph.
    Paragraph {
        /// The text.
        text: String,
    },
    /// Labelled values.
    Facts {
        /// The values.
        items: Vec<Fact>,
    },
    /// A table.
    Table {
        /// The columns.
        columns: Vec<Column>,
        /// The rows; as many cells as columns.
        rows: Vec<Row>,
        /// What it shows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
    },
    /// A bar chart.
    Bars {
        /// What it shows.
        title: String,
        /// The bars.
        items: Vec<Bar>,
        /// What the numbers count.
        unit: String,
    },
    /// A remark to be noticed.
    Note {
        /// How it is meant.
        tone: Tone,
        /// The text.
        text: String,
    },
}

/// How a remark is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// All is well.
    Good,
    /// To be known.
    Info,
    /// To be dealt with.
    Warning,
}

/// A labelled value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Fact {
    /// What it is.
    pub label: String,
    /// The value as text.
    pub value: String,
    /// The page of the console that shows what the value was counted from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Column {
    /// Its title.
    pub title: String,
    /// Where its cells stand.
    pub align: Align,
}

/// Where a cell's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// Left: texts.
    Left,
    /// Right: numbers.
    Right,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Row {
    /// The cells.
    pub cells: Vec<String>,
    /// The page of the console that shows what the row was counted from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
}

/// A bar of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Bar {
    /// What it is.
    pub label: String,
    /// How long it is.
    pub value: f64,
    /// The value as text.
    pub text: String,
    /// The page of the console that shows what the bar was counted from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
}

/// A report that can be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportInfo {
    /// Its name in addresses.
    pub name: String,
    /// Its title, English.
    pub title: String,
    /// Its title, Vietnamese.
    pub title_vi: String,
}

/// The reports that can be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportList {
    /// The reports.
    pub items: Vec<ReportInfo>,
    /// How many there are.
    pub total: u64,
}

//! The columns of the records: one table that the schema, the reader, the writer and docs/RECORDS.md follow.

use hard_imagenet_metrics::{FAITHFULNESS, MapScores, Record};

/// A column of the parts.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The name, which is also the field of [`Record`] or the column of [`MapScores`].
    pub name: &'static str,
    /// The rows on which the column can have a value.
    pub rows: Rows,
    /// What the column holds.
    pub meaning: &'static str,
    /// The type, and how to get a value from a record and into it.
    pub(crate) cells: Cells,
}

/// The rows on which a column can have a value. Elsewhere it is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// All rows.
    All,
    /// Rows that stand for an image, not for a map.
    Images,
    /// Rows of the unchanged image.
    Clean,
    /// Rows with a map: of the unchanged image for the first explainer, of `map:WORD` for another.
    Maps,
}

/// The type of a column with its accessors. Only the columns that are not optional are never null.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cells {
    Text(fn(&Record) -> &str, fn(&mut Record, String)),
    Integer(fn(&Record) -> u32, fn(&mut Record, u32)),
    OptionalText(fn(&Record) -> Option<&str>, fn(&mut Record, Option<String>)),
    OptionalInteger(fn(&Record) -> Option<u32>, fn(&mut Record, Option<u32>)),
    OptionalFlag(fn(&Record) -> Option<bool>, fn(&mut Record, Option<bool>)),
    OptionalFloat(fn(&Record) -> Option<f32>, fn(&mut Record, Option<f32>)),
    /// The score of a map at this place of [`MapScores::columns`].
    MapScore(usize),
}

/// Declares a column whose name is a field of [`Record`].
macro_rules! column {
    (Text $name:ident, $rows:ident, $meaning:expr) => {
        column!(@ $name, $rows, $meaning, Cells::Text(|r| &r.$name, |r, v| r.$name = v))
    };
    (Integer $name:ident, $rows:ident, $meaning:expr) => {
        column!(@ $name, $rows, $meaning, Cells::Integer(|r| r.$name, |r, v| r.$name = v))
    };
    (OptionalText $name:ident, $rows:ident, $meaning:expr) => {
        column!(@ $name, $rows, $meaning, Cells::OptionalText(|r| r.$name.as_deref(), |r, v| r.$name = v))
    };
    ($cells:ident $name:ident, $rows:ident, $meaning:expr) => {
        column!(@ $name, $rows, $meaning, Cells::$cells(|r| r.$name, |r, v| r.$name = v))
    };
    (@ $name:ident, $rows:ident, $meaning:expr, $cells:expr) => {
        Column { name: stringify!($name), rows: Rows::$rows, meaning: $meaning, cells: $cells }
    };
}

/// The columns before those of [`MapScores`]. A new one is a field of [`Record`] and a line at the end of this list.
#[rustfmt::skip]
static COLUMNS: &[Column] = &[
    column!(Text sample, All, "the image: `val/n03218198/ILSVRC2012_val_00000538`"),
    column!(Integer label, All, "the label that predictions are compared with, in the numbering of the model's head"),
    column!(Text class, All, "the name of the label"),
    column!(Text condition, All, "what was done to the image: `none`, `gray`, `noise:linf:0.25:fg`, ..; `map:WORD` for the map of a further explainer"),
    column!(Integer trial, All, "the draw of a random condition, from 0"),
    column!(OptionalInteger prediction, Images, "the class with the highest logit; null where the logits are not numbers"),
    column!(OptionalFlag correct, Images, "whether the prediction equals the label"),
    column!(OptionalInteger rank, Images, "the number of classes of the head that precede the label: 0 is correct, less than 5 is a correct top-5 prediction"),
    column!(OptionalInteger rank_within, Images, "the same among the dataset's classes; null for a head that has no other classes"),
    column!(OptionalFloat confidence, Images, "the softmax of the label"),
    column!(OptionalFloat certainty, Images, "the softmax of the prediction"),
    column!(OptionalFloat object_fraction, Clean, "the share of the input that is object"),
    column!(OptionalFloat eccentricity, Clean, "the distance of the object's centroid from the center, in halves of the diagonal"),
    column!(OptionalInteger components, Clean, "the number of connected components of the object"),
    column!(OptionalFloat cue_rank, Clean, "the position in the class's ranking by spurious cues, 0 first, 1 last"),
];

/// The column after those of [`MapScores`].
static ERROR: Column =
    column!(OptionalText error, Clean, "why the sample could not be evaluated; such a sample has only this row");

/// Returns the columns of a part in their order.
pub fn columns() -> impl Iterator<Item = Column> {
    let maps = MapScores::columns().enumerate().map(|(place, name)| Column {
        name,
        rows: Rows::Maps,
        meaning: if FAITHFULNESS.contains(&name) {
            "the faithfulness of the map to the model, if the protocol asks for it"
        } else {
            "the agreement of the saliency map with the mask"
        },
        cells: Cells::MapScore(place),
    });
    COLUMNS.iter().copied().chain(maps).chain([ERROR])
}

/// Returns the columns as a Markdown table, the one in docs/RECORDS.md. Neighboring columns of one meaning share a line.
pub fn columns_markdown() -> String {
    let columns: Vec<Column> = columns().collect();
    let mut table = String::from("| column | what it holds | on which rows |\n|---|---|---|\n");
    for group in columns.chunk_by(|a, b| (a.meaning, a.rows) == (b.meaning, b.rows)) {
        let names: Vec<String> = group.iter().map(|column| format!("`{}`", column.name)).collect();
        let rows = match group[0].rows {
            Rows::All => "all",
            Rows::Images => "images",
            Rows::Clean => "`none`",
            Rows::Maps => "`none`: the first explainer's map; `map:WORD`: that explainer's map",
        };
        table.push_str(&format!("| {} | {} | {rows} |\n", names.join(", "), group[0].meaning));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use hard_imagenet_metrics::Record;

    #[test]
    fn every_field_of_a_record_has_a_column() {
        let value = serde_json::to_value(Record::default()).unwrap();
        let fields = value.as_object().unwrap().keys().filter(|field| *field != "map");
        let named = columns().filter(|column| !matches!(column.cells, Cells::MapScore(_))).map(|column| column.name);
        assert_eq!(fields.collect::<Vec<_>>(), named.collect::<Vec<_>>());
    }

    #[test]
    fn the_page_has_the_table() {
        let page = include_str!("../../../docs/RECORDS.md");
        let table = format!("<!-- begin: records -->\n{}<!-- end: records -->\n", columns_markdown());
        assert!(page.contains(&table), "`cargo xtask tables records` writes docs/RECORDS.md anew:\n{table}");
    }
}

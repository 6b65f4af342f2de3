use super::CHECKSUM;
use crate::columns::{Cells, columns};
use hard_imagenet_files::sha256_hex;
use hard_imagenet_metrics::Record;
use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, FloatType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::io::Write;
use std::sync::Arc;

/// Returns the schema of a part in parquet's own notation.
fn schema() -> String {
    let mut schema = String::from("message record {\n");
    for column in columns() {
        let (kind, annotation) = match column.cells {
            Cells::Text(..) => ("required binary", " (STRING)"),
            Cells::Integer(..) => ("required int32", " (INTEGER(32,false))"),
            Cells::OptionalText(..) => ("optional binary", " (STRING)"),
            Cells::OptionalInteger(..) => ("optional int32", " (INTEGER(32,false))"),
            Cells::OptionalFlag(..) => ("optional boolean", ""),
            Cells::OptionalFloat(..) | Cells::MapScore(_) => ("optional float", ""),
        };
        schema.push_str(&format!("    {kind} {}{annotation};\n", column.name));
    }
    schema.push('}');
    schema
}

/// Encodes records as a parquet file of one row group.
pub(crate) fn write_part(records: &[Record]) -> Result<Vec<u8>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .build();
    let schema = Arc::new(parse_message_type(&schema())?);
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;

    let mut group = file.next_row_group()?;
    for column in columns() {
        write_cells(&mut group, column.cells, records)?;
    }
    group.close()?;

    // Parquet has no checksum of its own here, so a flipped bit would read as another score.
    file.flush()?;
    let data = file.inner();
    let checksum = format!("{} {}", data.len(), sha256_hex(data));
    file.append_key_value_metadata(KeyValue::new(CHECKSUM.to_owned(), checksum));
    file.into_inner()
}

/// Writes one column of all records.
fn write_cells(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    cells: Cells,
    records: &[Record],
) -> Result<(), ParquetError> {
    let text = |s: &str| ByteArray::from(s.as_bytes().to_vec());
    let number = |v: u32| v.cast_signed(); // parquet keeps unsigned numbers in the bits of signed ones
    let records = records.iter();
    match cells {
        Cells::Text(get, _) => required::<ByteArrayType>(group, records.map(|r| text(get(r)))),
        Cells::Integer(get, _) => required::<Int32Type>(group, records.map(|r| number(get(r)))),
        Cells::OptionalText(get, _) => optional::<ByteArrayType>(group, records.map(|r| get(r).map(text))),
        Cells::OptionalInteger(get, _) => optional::<Int32Type>(group, records.map(|r| get(r).map(number))),
        Cells::OptionalFlag(get, _) => optional::<BoolType>(group, records.map(get)),
        Cells::OptionalFloat(get, _) => optional::<FloatType>(group, records.map(get)),
        Cells::MapScore(place) => optional::<FloatType>(group, records.map(|r| r.map.as_slice()[place])),
    }
}

fn required<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: impl Iterator<Item = T::T>,
) -> Result<(), ParquetError> {
    write_column::<T>(group, &values.collect::<Vec<_>>(), None)
}

/// Writes a column with nulls: a null is a definition level of 0 and no value.
fn optional<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let values: Vec<_> = values.collect();
    let levels: Vec<i16> = values.iter().map(|v| i16::from(v.is_some())).collect();
    write_column::<T>(group, &values.into_iter().flatten().collect::<Vec<_>>(), Some(&levels))
}

fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("more columns written than the schema has".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

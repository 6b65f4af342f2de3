use super::CHECKSUM;
use crate::text::sha256_hex;
use hard_imagenet_metrics::{MapScores, Record};
use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, FloatType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::io::Write;
use std::sync::Arc;

/// The columns in their order: the fields of [`Record`], and one for each score of a map. The writer below follows it
/// line by line.
fn schema() -> String {
    let maps: String = MapScores::columns().map(|column| format!("    optional float {column};\n")).collect();
    format!(
        "message record {{
    required binary sample (STRING);
    required int32 label (INTEGER(32,false));
    required binary class (STRING);
    required binary condition (STRING);
    required int32 trial (INTEGER(32,false));
    optional int32 prediction (INTEGER(32,false));
    optional boolean correct;
    optional int32 rank (INTEGER(32,false));
    optional int32 rank_within (INTEGER(32,false));
    optional float confidence;
    optional float certainty;
    optional float object_fraction;
    optional float eccentricity;
    optional int32 components (INTEGER(32,false));
    optional float cue_rank;
{maps}    optional binary error (STRING);
}}"
    )
}

/// The records as the bytes of a parquet file of one row group.
pub(crate) fn write_part(records: &[Record]) -> Result<Vec<u8>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .build();
    let schema = Arc::new(parse_message_type(&schema())?);
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;

    let mut group = file.next_row_group()?;
    let text = |s: &str| ByteArray::from(s.as_bytes().to_vec());
    let number = |v: u32| v.cast_signed(); // parquet keeps unsigned numbers in the bits of signed ones
    required::<ByteArrayType>(&mut group, records.iter().map(|r| text(&r.sample)))?;
    required::<Int32Type>(&mut group, records.iter().map(|r| number(r.label)))?;
    required::<ByteArrayType>(&mut group, records.iter().map(|r| text(&r.class)))?;
    required::<ByteArrayType>(&mut group, records.iter().map(|r| text(&r.condition)))?;
    required::<Int32Type>(&mut group, records.iter().map(|r| number(r.trial)))?;
    optional::<Int32Type>(&mut group, records.iter().map(|r| r.prediction.map(number)))?;
    optional::<BoolType>(&mut group, records.iter().map(|r| r.correct))?;
    optional::<Int32Type>(&mut group, records.iter().map(|r| r.rank.map(number)))?;
    optional::<Int32Type>(&mut group, records.iter().map(|r| r.rank_within.map(number)))?;
    optional::<FloatType>(&mut group, records.iter().map(|r| r.confidence))?;
    optional::<FloatType>(&mut group, records.iter().map(|r| r.certainty))?;
    optional::<FloatType>(&mut group, records.iter().map(|r| r.object_fraction))?;
    optional::<FloatType>(&mut group, records.iter().map(|r| r.eccentricity))?;
    optional::<Int32Type>(&mut group, records.iter().map(|r| r.components.map(number)))?;
    optional::<FloatType>(&mut group, records.iter().map(|r| r.cue_rank))?;
    for at in 0..MapScores::columns().len() {
        optional::<FloatType>(&mut group, records.iter().map(|r| r.map.as_slice()[at]))?;
    }
    optional::<ByteArrayType>(&mut group, records.iter().map(|r| r.error.as_deref().map(text)))?;
    group.close()?;

    // Parquet has no checksum of its own here, so a flipped bit would read as another score.
    file.flush()?;
    let data = file.inner();
    let checksum = format!("{} {}", data.len(), sha256_hex(data));
    file.append_key_value_metadata(KeyValue::new(CHECKSUM.to_owned(), checksum));
    file.into_inner()
}

fn required<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: impl Iterator<Item = T::T>,
) -> Result<(), ParquetError> {
    write_column::<T>(group, &values.collect::<Vec<_>>(), None)
}

/// A null is a definition level of 0 and no value.
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

use super::CHECKSUM;
use crate::text::sha256_hex;
use bytes::Bytes;
use hard_imagenet_metrics::{MapScores, Record};
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, FloatType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

/// The records of a part's bytes, in the order they were written.
///
/// # Errors
/// Says in words what is wrong with the bytes: no parquet, a byte changed, a column missing or of another type.
pub(crate) fn read_part(bytes: Vec<u8>) -> Result<Vec<Record>, String> {
    let bytes = Bytes::from(bytes);
    let file = SerializedFileReader::new(bytes.clone()).map_err(words)?;
    // Before anything is decoded, so that decoders never meet damaged pages.
    verify(&file, &bytes)?;
    let mut records = Vec::new();
    for i in 0..file.num_row_groups() {
        read_group(&*file.get_row_group(i).map_err(words)?, &mut records)?;
    }
    Ok(records)
}

fn words(error: ParquetError) -> String {
    error.to_string()
}

fn verify(file: &impl FileReader, bytes: &[u8]) -> Result<(), String> {
    let pairs = file.metadata().file_metadata().key_value_metadata();
    let stored = pairs
        .and_then(|pairs| pairs.iter().find(|pair| pair.key == CHECKSUM))
        .and_then(|pair| pair.value.as_deref())
        .ok_or("it holds no checksum, so this program did not write it")?;
    let (length, hash) = stored.split_once(' ').ok_or("its checksum cannot be read")?;
    let length: usize = length.parse().map_err(|_| "its checksum cannot be read".to_owned())?;
    let data = bytes.get(..length).ok_or("it is shorter than it says")?;
    if sha256_hex(data) != hash {
        return Err("its bytes changed since it was written".to_owned());
    }
    Ok(())
}

fn read_group(group: &dyn RowGroupReader, records: &mut Vec<Record>) -> Result<(), String> {
    let number = i32::cast_unsigned; // parquet keeps unsigned numbers in the bits of signed ones
    let mut sample = required::<ByteArrayType>(group, "sample")?.into_iter();
    let mut label = required::<Int32Type>(group, "label")?.into_iter();
    let mut class = required::<ByteArrayType>(group, "class")?.into_iter();
    let mut condition = required::<ByteArrayType>(group, "condition")?.into_iter();
    let mut trial = required::<Int32Type>(group, "trial")?.into_iter();
    let mut prediction = optional::<Int32Type>(group, "prediction")?.into_iter();
    let mut correct = optional::<BoolType>(group, "correct")?.into_iter();
    let mut rank = optional::<Int32Type>(group, "rank")?.into_iter();
    let mut rank_within = optional::<Int32Type>(group, "rank_within")?.into_iter();
    let mut confidence = optional::<FloatType>(group, "confidence")?.into_iter();
    let mut certainty = optional::<FloatType>(group, "certainty")?.into_iter();
    let mut object_fraction = optional::<FloatType>(group, "object_fraction")?.into_iter();
    let mut eccentricity = optional::<FloatType>(group, "eccentricity")?.into_iter();
    let mut components = optional::<Int32Type>(group, "components")?.into_iter();
    let mut cue_rank = optional::<FloatType>(group, "cue_rank")?.into_iter();
    let maps: Result<Vec<_>, String> = MapScores::columns().map(|name| optional::<FloatType>(group, name)).collect();
    let maps = maps?;
    let mut error = optional::<ByteArrayType>(group, "error")?.into_iter();
    for row in 0..rows(group)? {
        let mut map = MapScores::default();
        for (name, column) in MapScores::columns().zip(&maps) {
            map.set(name, *column.get(row).ok_or_else(short)?);
        }
        records.push(Record {
            sample: string(next(&mut sample)?)?,
            label: number(next(&mut label)?),
            class: string(next(&mut class)?)?,
            condition: string(next(&mut condition)?)?,
            trial: number(next(&mut trial)?),
            prediction: next(&mut prediction)?.map(number),
            correct: next(&mut correct)?,
            rank: next(&mut rank)?.map(number),
            rank_within: next(&mut rank_within)?.map(number),
            confidence: next(&mut confidence)?,
            certainty: next(&mut certainty)?,
            object_fraction: next(&mut object_fraction)?,
            eccentricity: next(&mut eccentricity)?,
            components: next(&mut components)?.map(number),
            cue_rank: next(&mut cue_rank)?,
            map,
            error: next(&mut error)?.map(string).transpose()?,
        });
    }
    Ok(())
}

fn rows(group: &dyn RowGroupReader) -> Result<usize, String> {
    usize::try_from(group.metadata().num_rows()).map_err(|_| "its number of rows is negative".to_owned())
}

fn next<T>(values: &mut impl Iterator<Item = T>) -> Result<T, String> {
    values.next().ok_or_else(short)
}

fn short() -> String {
    "a column is shorter than the others".to_owned()
}

fn string(bytes: ByteArray) -> Result<String, String> {
    bytes.as_utf8().map(str::to_owned).map_err(words)
}

fn required<T: DataType>(group: &dyn RowGroupReader, name: &str) -> Result<Vec<T::T>, String> {
    column::<T>(group, name)?
        .ok_or_else(|| format!("column {name} is missing"))?
        .into_iter()
        .map(|value| value.ok_or_else(|| format!("column {name} has an empty cell")))
        .collect()
}

/// A column that a file of another version may lack.
fn optional<T: DataType>(group: &dyn RowGroupReader, name: &str) -> Result<Vec<Option<T::T>>, String> {
    match column::<T>(group, name)? {
        Some(values) => Ok(values),
        None => Ok(std::iter::repeat_with(|| None).take(rows(group)?).collect()),
    }
}

/// Cells of a column, by row.
type Column<T> = Vec<Option<<T as DataType>::T>>;

/// A whole column by name, so that files with more columns, or in another order, can be read.
fn column<T: DataType>(group: &dyn RowGroupReader, name: &str) -> Result<Option<Column<T>>, String> {
    let columns = group.metadata().columns();
    let Some(at) = columns.iter().position(|column| column.column_path().string() == name) else { return Ok(None) };
    if columns[at].column_type() != T::get_physical_type() || columns[at].column_descr().max_rep_level() > 0 {
        return Err(format!("column {name} is not of type {}", T::get_physical_type()));
    }
    let nullable = columns[at].column_descr().max_def_level() > 0;
    let mut column = get_typed_column_reader::<T>(group.get_column_reader(at).map_err(words)?);
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    column.read_records(rows(group)?, Some(&mut levels), None, &mut values).map_err(words)?;
    if !nullable {
        return Ok(Some(values.into_iter().map(Some).collect()));
    }
    let mut values = values.into_iter();
    let cell = |level| if level > 0 { next(&mut values).map(Some) } else { Ok(None) };
    levels.into_iter().map(cell).collect::<Result<_, _>>().map(Some)
}

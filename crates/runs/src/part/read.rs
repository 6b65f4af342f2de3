use super::CHECKSUM;
use crate::columns::{Cells, Column, columns};
use bytes::Bytes;
use hard_imagenet_files::sha256_hex;
use hard_imagenet_metrics::Record;
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, FloatType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

/// Reads the records of a part from its bytes, in the order in which they were written.
///
/// # Errors
/// Returns a sentence about what is wrong with the bytes: they are no parquet file, a byte changed, or a column is
/// missing or has another type.
pub(crate) fn read_part(bytes: Vec<u8>) -> Result<Vec<Record>, String> {
    let bytes = Bytes::from(bytes);
    let file = SerializedFileReader::new(bytes.clone()).map_err(message)?;
    // Before anything is decoded, so that the decoders never meet damaged pages.
    verify(&file, &bytes)?;
    let mut records = Vec::new();
    for i in 0..file.num_row_groups() {
        records.extend(read_group(&*file.get_row_group(i).map_err(message)?)?);
    }
    Ok(records)
}

fn message(error: ParquetError) -> String {
    error.to_string()
}

/// Compares the bytes before the footer with the checksum in it.
fn verify(file: &impl FileReader, bytes: &[u8]) -> Result<(), String> {
    let pairs = file.metadata().file_metadata().key_value_metadata();
    let stored = pairs
        .and_then(|pairs| pairs.iter().find(|pair| pair.key == CHECKSUM))
        .and_then(|pair| pair.value.as_deref())
        .ok_or("it holds no checksum, so this program did not write it")?;
    let (length, hash) = stored.split_once(' ').ok_or("its checksum cannot be read")?;
    let length: usize = length.parse().map_err(|_| "its checksum cannot be read".to_owned())?;
    let data = bytes.get(..length).ok_or("it is shorter than its checksum states")?;
    if sha256_hex(data) != hash {
        return Err("its bytes changed since it was written".to_owned());
    }
    Ok(())
}

/// Reads a row group column by column.
fn read_group(group: &dyn RowGroupReader) -> Result<Vec<Record>, String> {
    let rows = usize::try_from(group.metadata().num_rows()).map_err(|_| "its number of rows is negative".to_owned())?;
    let mut records = vec![Record::default(); rows];
    for column in columns() {
        read_column(group, &column, &mut records)?;
    }
    Ok(records)
}

/// Sets the values of one column in all records.
fn read_column(group: &dyn RowGroupReader, column: &Column, records: &mut [Record]) -> Result<(), String> {
    let number = i32::cast_unsigned; // parquet keeps unsigned numbers in the bits of signed ones
    match column.cells {
        Cells::Text(_, set) => {
            let values = required::<ByteArrayType>(group, column.name, records.len())?;
            for (record, value) in records.iter_mut().zip(values) {
                set(record, string(value)?);
            }
        }
        Cells::Integer(_, set) => {
            let values = required::<Int32Type>(group, column.name, records.len())?;
            records.iter_mut().zip(values).for_each(|(record, value)| set(record, number(value)));
        }
        Cells::OptionalText(_, set) => {
            let values = optional::<ByteArrayType>(group, column.name, records.len())?;
            for (record, value) in records.iter_mut().zip(values) {
                set(record, value.map(string).transpose()?);
            }
        }
        Cells::OptionalInteger(_, set) => {
            let values = optional::<Int32Type>(group, column.name, records.len())?;
            records.iter_mut().zip(values).for_each(|(record, value)| set(record, value.map(number)));
        }
        Cells::OptionalFlag(_, set) => {
            let values = optional::<BoolType>(group, column.name, records.len())?;
            records.iter_mut().zip(values).for_each(|(record, value)| set(record, value));
        }
        Cells::OptionalFloat(_, set) => {
            let values = optional::<FloatType>(group, column.name, records.len())?;
            records.iter_mut().zip(values).for_each(|(record, value)| set(record, value));
        }
        Cells::MapScore(_) => {
            let values = optional::<FloatType>(group, column.name, records.len())?;
            records.iter_mut().zip(values).for_each(|(record, value)| record.map.set(column.name, value));
        }
    }
    Ok(())
}

fn string(bytes: ByteArray) -> Result<String, String> {
    bytes.as_utf8().map(str::to_owned).map_err(message)
}

/// Reads a column that must be there, without nulls.
fn required<T: DataType>(group: &dyn RowGroupReader, name: &str, rows: usize) -> Result<Vec<T::T>, String> {
    cells::<T>(group, name, rows)?
        .ok_or_else(|| format!("column {name} is missing"))?
        .into_iter()
        .map(|value| value.ok_or_else(|| format!("column {name} has an empty cell")))
        .collect()
}

/// Reads a column that a file of another version may lack.
fn optional<T: DataType>(group: &dyn RowGroupReader, name: &str, rows: usize) -> Result<Vec<Option<T::T>>, String> {
    let cells = cells::<T>(group, name, rows)?;
    Ok(cells.unwrap_or_else(|| std::iter::repeat_with(|| None).take(rows).collect()))
}

/// The cells of a column, by row.
type ColumnCells<T> = Vec<Option<<T as DataType>::T>>;

/// Reads a whole column by its name, so that files with more columns, or in another order, can be read. Returns `None` if
/// there is no such column.
fn cells<T: DataType>(group: &dyn RowGroupReader, name: &str, rows: usize) -> Result<Option<ColumnCells<T>>, String> {
    let columns = group.metadata().columns();
    let Some(at) = columns.iter().position(|column| column.column_path().string() == name) else { return Ok(None) };
    if columns[at].column_type() != T::get_physical_type() || columns[at].column_descr().max_rep_level() > 0 {
        return Err(format!("column {name} is not of type {}", T::get_physical_type()));
    }
    let nullable = columns[at].column_descr().max_def_level() > 0;
    let mut column = get_typed_column_reader::<T>(group.get_column_reader(at).map_err(message)?);
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    column.read_records(rows, Some(&mut levels), None, &mut values).map_err(message)?;
    let short = || "a column is shorter than the others".to_owned();
    let mut values = values.into_iter();
    // Of a column that cannot be null there are no levels: every row has a value.
    let cells: Vec<Option<T::T>> = if nullable {
        let cell = |level| if level > 0 { values.next().ok_or_else(short).map(Some) } else { Ok(None) };
        levels.into_iter().map(cell).collect::<Result<_, _>>()?
    } else {
        values.map(Some).collect()
    };
    if cells.len() == rows { Ok(Some(cells)) } else { Err(short()) }
}
